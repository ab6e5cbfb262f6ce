"""What evaluations leave for the demo's page, as far as that reads it."""

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


def write_comparison(folder: Path, errors: list[float]) -> None:
    """The files of `compare-poses`, `infer` and `simulate particles` that the page shows."""
    lines = [f"{number},{error},1.5" for number, error in enumerate(errors)]
    for name, content in (
        ("poses-compared/poses.csv", "\n".join(["row_1,angle,shift", *lines])),
        ("poses-compared/angles.png", "a picture"),
        ("poses/map.png", "a picture"),
        ("new-particles/images.png", "a picture"),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def write_states(folder: Path, clusters: list[int], states: list[int]) -> None:
    """The files of `simulate states` and `hetero analyze` that the page shows."""
    found = "continuum/analysis/latent"
    table = [f"{row},{cluster}" for row, cluster in enumerate(clusters)]
    truth = [f"{row},{state}" for row, state in enumerate(states)]
    surfaces = "volumes_along_principal_component_1_surfaces.png"
    for name, content in (
        (f"{found}/table.csv", "\n".join(["row,kmeans", *table])),
        (f"{found}/latent_kmeans.png", "a picture"),
        (f"{found}/{surfaces}", "a picture"),
        ("states/states.csv", "\n".join(["row,state", *truth])),
        ("states/states.png", "a picture"),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
