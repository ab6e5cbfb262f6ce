"""What `icelens pick evaluate` leaves for the demo's page, as far as that reads it."""

import json
from pathlib import Path


def write_evaluation(folder: Path, objects: dict[str, dict[str, float | None]]) -> None:
    folder.mkdir(parents=True)
    scores = {"f_beta": 0.75 if objects else None, "objects": objects}
    (folder / "scores.json").write_text(json.dumps(scores))
    (folder / "run_TS_01.png").write_bytes(b"a picture")


RIBOSOME: dict[str, float | None] = {
    "particles": 4, "picks": 5, "true": 3, "false": 2, "missed": 1, "f_beta": 0.75,
    "rms_error": None,
}  # fmt: skip
