"""The demo's plan and page; that the whole demo works is an end-to-end test."""

import csv
from pathlib import Path

import numpy as np
import pytest
from demo_scores import RIBOSOME, write_comparison, write_evaluation, write_states

from icelens.apps import arguments, demo, demo_report
from icelens.core.data.volume import Volume
from icelens.jobs import registry

JOBS = {job.name: job for job in registry.all_jobs()}
STEPS = (
    *demo.plan(Path("demo"), seed=1, epochs=2),
    *demo.score(Path("demo"), demo_report.DemoFiles(Path("b"), Path("a"), Path("t"))),
    *demo.picking(Path("demo"), seed=1),
    *demo.posing(Path("demo"), seed=1),
    *demo.parting(Path("demo"), seed=1),
)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: " ".join(step.words[:2]))
def test_every_command_of_the_demo_is_understood(step: demo.Step) -> None:
    name = ".".join(step.words[:2])
    if name not in JOBS:
        pytest.skip(f"{name} is not installed")
    request = arguments.parse(JOBS[name], step.words[2:])
    assert isinstance(request.config, JOBS[name].config_type)


def write_fsc(folder: Path, measured: float, missing: float) -> None:
    folder.mkdir(parents=True)
    with (folder / "fsc.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["spatial_frequency", "measured", "missing"])
        for frequency in np.linspace(0, 0.05, 11):
            writer.writerow([frequency, measured, missing])


def test_page_says_what_improved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    volume = Volume(np.random.default_rng(0).normal(size=(8, 16, 16)).astype(np.float32), 10.0)
    monkeypatch.setattr(demo_report, "_read", lambda path: volume)
    write_fsc(tmp_path / "score-before", 0.70, 0.15)
    write_fsc(tmp_path / "score-after", 0.82, 0.66)
    write_evaluation(tmp_path / "evaluation", {"ribosome": RIBOSOME})
    write_comparison(tmp_path, [1.0, 2.0, 30.0])
    write_states(tmp_path, [1, 2], [0, 1])
    files = demo_report.DemoFiles(Path("b"), Path("a"), Path("t"))
    outcome = demo_report.write(tmp_path, files, ["icelens restore refine"])
    assert "from 0.15 to 0.66 in the missing wedge and from 0.70 to 0.82" in outcome.sentence
    page = outcome.page.read_text()
    assert outcome.sentence in page
    pictures = {path.stem for path in tmp_path.glob("*.png")}
    shown = {"particle_images", "pose_errors", "pose_map"}
    shown |= {"slices", "power_spectra", "fsc_measured", "fsc_missing", "picks"}
    shown |= {"true_states", "state_latents", "state_maps"}
    assert pictures == shown
    assert (tmp_path / "picks.png").read_bytes() == b"a picture"


def test_mean_counts_only_the_band() -> None:
    frequencies = (0.001, 0.01, 0.02, 0.05)
    fsc = demo_report.Fsc(frequencies, (9.0, 0.5, 0.7, 9.0), (0.0, 0.0, 0.0, 0.0))
    # 1000 Å and 20 Å lie outside 200 to 30 Å.
    assert fsc.mean("measured") == pytest.approx(0.6)


def test_shell_without_samples_is_no_correlation_of_zero(tmp_path: Path) -> None:
    path = tmp_path / "fsc.csv"
    path.write_text(
        "spatial_frequency,measured,measured_count,missing,missing_count\n"
        "0.01,1,8,0,0\n0.02,1,8,0.5,6\n"
    )
    fsc = demo_report.read_fsc(path)
    assert np.isnan(fsc.missing[0])
    assert fsc.mean("missing") == 0.5
