"""A run as Python and notebooks see it: its record, tables, curves and pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icelens.core.errors import InputFileError
from icelens.core.io.star import read_star
from icelens.jobs.journal import METRICS_NAME, read_metrics
from icelens.jobs.record import RECORD_NAME, read_record

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

_TABLES = (".csv", ".star")


@dataclass(frozen=True)
class OpenedRun:
    """What a run of any job left in its folder; nothing is changed there.

    Attributes:
        folder: Of the run.
        record: What `run.json` says; empty where there is none.
    """

    folder: Path
    record: Mapping[str, Any]

    @property
    def job(self) -> str:
        """`task.job`, as in `hetero.train`; empty if nothing says it."""
        return str(self.record.get("job", ""))

    @property
    def state(self) -> str:
        """`running`, `done`, `failed` or `stopped`; empty if nothing says it."""
        return str(self.record.get("state", ""))

    @property
    def settings(self) -> dict[str, Any]:
        """All settings it was started with."""
        return dict(self.record.get("config", {}))

    @property
    def report(self) -> Path:
        """`report.html`, to be opened in a browser; it is written when the run ends."""
        return self.folder / "report.html"

    def metrics(self) -> "pandas.DataFrame":
        """What was measured at each step; empty for jobs that measure nothing on the way."""
        import pandas

        return pandas.DataFrame(read_metrics(self.folder))

    def tables(self) -> tuple[str, ...]:
        """Names of its tables, CSV and STAR, as paths below the folder."""
        found = (path for path in self.folder.rglob("*") if path.suffix in _TABLES)
        return tuple(sorted(path.relative_to(self.folder).as_posix() for path in found))

    def table(self, name: str) -> "pandas.DataFrame":
        """One of `tables`; of a STAR file the longest block, which is that of its particles.

        Raises:
            InputFileError: If there is none of this name, or it cannot be read.
        """
        import pandas

        path = self.folder / name
        if name not in self.tables():
            known = ", ".join(self.tables()[:10]) or "no tables"
            raise InputFileError(f"{path}: no such table; this run has {known}")
        if path.suffix == ".star":
            return max(read_star(path).values(), key=len)
        try:
            return pandas.read_csv(path)
        except (OSError, ValueError) as error:
            raise InputFileError(
                f"{path}: cannot be read as a table ({type(error).__name__}); run the job again"
            ) from error

    def pictures(self) -> dict[str, Path]:
        """PNG files of the reports by their path below the folder, without ending."""
        found = sorted(self.folder.rglob("*.png"))
        return {path.relative_to(self.folder).with_suffix("").as_posix(): path for path in found}

    def curve(self, *names: str) -> "Figure":
        """Draw columns of `metrics` over the steps; the loss if none is named.

        Raises:
            InputFileError: If a column was not measured.
        """
        from icelens.core.plots.curves import loss_curve

        frame, wanted = self.metrics(), names or ("loss",)
        for name in wanted:
            if name not in frame:
                known = ", ".join(map(str, frame.columns)) or "nothing"
                raise InputFileError(
                    f"{self.folder / METRICS_NAME}: no {name}; this run measured {known}"
                )
        curves = {name: frame[["step", name]].dropna() for name in wanted}
        return loss_curve(
            {name: (each["step"].tolist(), each[name].tolist()) for name, each in curves.items()},
            ylabel=", ".join(wanted),
        )


def open_recorded_run(folder: Path) -> OpenedRun:
    """Open the folder of a run of any job.

    Raises:
        InputFileError: If it is none, or its record is damaged.
    """
    record = read_record(folder)
    if record is None:
        what = f"no {RECORD_NAME} in it" if folder.is_dir() else "no such folder"
        raise InputFileError(f"{folder}: is no run ({what}); give the --output of a job")
    return OpenedRun(folder, record)
