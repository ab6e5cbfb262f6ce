"""`report.html`: what a run found, in one file that opens anywhere.

Pictures are embedded, so the file may be mailed; each is also saved beside it as PNG. A failed run
begins with its cause; settings, inputs and citations are folded below the result.
"""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icelens.core.io.atomic import atomic_path
from icelens.jobs import provenance
from icelens.jobs.journal import LOG_NAME, read_metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT_NAME = "report.html"
LOG_LINES = 20


@dataclass
class Report:
    """What a job wants shown, in the order it says it."""

    parts: list[str] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    """PNG files to be written beside the report."""

    def section(self, title: str) -> None:
        """Begin a section."""
        self.parts.append(f"<h2>{escape(title)}</h2>")

    def text(self, sentence: str) -> None:
        """Add a paragraph of plain text."""
        self.parts.append(f"<p>{escape(sentence)}</p>")

    def table(self, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Add a table; numbers are aligned to the right."""
        self.parts.append(table_html(header, rows))

    def figure(self, figure: "Figure", *, name: str, caption: str) -> None:
        """Add a matplotlib figure; it is also saved as `name.png`.

        Args:
            figure: Drawn by a function of `core/plots`.
            name: Stem of the file beside the report.
            caption: What is seen, in words; also the text for those who cannot see it.
        """
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        self.picture(buffer.getvalue(), name=name, caption=caption)

    def picture(self, png: bytes, *, name: str, caption: str) -> None:
        """Add a picture that was drawn before; the rest is as for `figure`."""
        self.pictures[name] = png
        self.parts.append(_picture(png, caption))


def write_report(folder: Path, report: Report, record: Mapping[str, Any]) -> Path:
    """Write `report.html` and its pictures into a run's folder and return the page's path."""
    _add_loss(folder, report)
    for name, png in report.pictures.items():
        with atomic_path(folder / f"{name}.png") as temporary:
            temporary.write_bytes(png)
    title = f"{record['job']}: {folder.name}"
    body = [_headline(record), *report.parts, *_details(folder, record)]
    path = folder / REPORT_NAME
    write_page(path, title, body)
    return path


def write_page(path: Path, title: str, body: Iterable[str]) -> None:
    """Write one self-contained page in the house's look."""
    style = files("icelens.jobs").joinpath("report.css").read_text(encoding="utf-8")
    page = (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>\n{style}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>\n" + "\n".join(body) + "\n</main></body></html>\n"
    )
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def table_html(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as HTML."""
    head = "".join(f"<th>{escape(word)}</th>" for word in header)
    lines = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<div class='scroll'><table><tr>{head}</tr>{lines}</table></div>"


def duration(seconds: float) -> str:
    """A time with the digits it deserves: `1.7 s`, `4 min 10 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def _cell(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"<td>{escape(str(value))}</td>"
    text = str(value) if isinstance(value, int) else f"{value:.4g}"
    return f"<td class='number'>{text}</td>"


def _picture(png: bytes, caption: str) -> str:
    data = base64.b64encode(png).decode("ascii")
    text = escape(caption, quote=True)
    return (
        f"<figure><img alt='{text}' src='data:image/png;base64,{data}'>"
        f"<figcaption>{text}</figcaption></figure>"
    )


def _headline(record: Mapping[str, Any]) -> str:
    state = escape(str(record["state"]))
    words = [f"<span class='state {state}'>{state}</span>", escape(str(record["started"]))]
    if "seconds" in record:
        words.append(duration(float(record["seconds"])))
    cause = record.get("cause")
    line = f"<p class='facts'>{' · '.join(words)}</p>"
    return line + (f"<p class='cause'>{escape(str(cause))}</p>" if cause else "")


def _add_loss(folder: Path, report: Report) -> None:
    """Add the curve of the run's loss, if it wrote one."""
    metrics = read_metrics(folder)
    points = [(row["step"], row["loss"]) for row in metrics if row.get("loss") is not None]
    if len(points) < 2:
        return
    from icelens.core.plots.curves import loss_curve

    steps, values = zip(*points, strict=True)
    figure = loss_curve({"loss": (steps, values)})
    report.section("Loss")
    report.figure(
        figure, name="loss", caption="Loss at each training step, and its running median."
    )


def _details(folder: Path, record: Mapping[str, Any]) -> list[str]:
    config = [(key, value) for key, value in record["config"].items()]
    inputs = [
        [entry.get(key, "") for key in ("path", "size", "sha256")] for entry in record["inputs"]
    ]
    outputs = [[entry["path"], entry["kind"]] for entry in record["outputs"]]
    versions = list(record["versions"].items())
    entries = [provenance.citation(key) or key for key in record["citations"]]
    log = (folder / LOG_NAME).read_text(encoding="utf-8").splitlines()[-LOG_LINES:]
    command = f"<p>Repeat it:</p><pre>{escape(str(record['command']))}</pre>"
    parts = [
        ("Files written", table_html(["file", "kind"], outputs) if outputs else ""),
        ("Settings", command + table_html(["setting", "value"], config)),
        ("Input files", table_html(["file", "bytes", "SHA-256"], inputs) if inputs else ""),
        ("Versions", table_html(["package", "version"], versions)),
        ("Please cite", f"<pre>{escape(chr(10).join(entries))}</pre>" if entries else ""),
        ("End of the log", f"<pre>{escape(chr(10).join(log))}</pre>"),
    ]
    return [
        f"<details><summary>{title}</summary>{content}</details>"
        for title, content in parts
        if content
    ]
