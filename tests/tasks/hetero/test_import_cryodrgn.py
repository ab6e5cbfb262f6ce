"""`icelens tools import-cryodrgn` makes a run of hetero of a folder of cryoDRGN, or nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from cryodrgn_workdir import BOX, NUM_IMAGES, PIXEL_SIZE, Workdir, dump
from particle_stars import write_star

from icelens.apps import cli
from icelens.core.data.volume import Volume
from icelens.core.io.cryodrgn_particles import ctf_table, pose_table
from icelens.core.io.particle_files import read_particles
from icelens.core.io.volumes import write_volume
from icelens.tasks.hetero.hetero_run import open_hetero_run

WRITTEN = ("particles.star", "latents.csv", "best.safetensors", "hetero.json")
Capture = pytest.CaptureFixture[str]


def convert(folder: Path, *words: str) -> int:
    command = ["tools", "import-cryodrgn", "--workdir", str(folder)]
    return cli.main([*command, "--output", str(folder / "out"), *words])


def refused(folder: Path, capsys: Capture, *words: str) -> str:
    assert convert(folder, *words) == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    assert not [name for name in WRITTEN if (folder / "out" / name).exists()]
    return message


@pytest.mark.parametrize("kind", ["vae", "autodecoder", "abinitio"])
def test_a_folder_becomes_a_run(kind: str, tmp_path: Path) -> None:
    made = Workdir(tmp_path, kind=kind, domain="hartley", epochs=(3,)).write()
    assert convert(tmp_path) == 0
    run = open_hetero_run(tmp_path / "out")
    assert (run.kind, run.latent_dim, run.box_size, run.pixel_size) == ("cryodrgn", 3, 16, 2.5)
    table = run.latents()
    assert np.allclose(table.latent, made.latent, atol=1e-6)
    known = np.exp(made.log_variance / 2) if kind == "vae" else np.full(made.latent.shape, np.nan)
    assert np.allclose(table.deviation, known, rtol=1e-5, equal_nan=True)
    assert table.particle.tolist() == table.row.tolist() == list(range(NUM_IMAGES))
    particles = run.particle_file().particles
    assert np.allclose(particles.rotation, made.rotation, atol=1e-5)
    shift = made.shift_xy[:, ::-1] * BOX * PIXEL_SIZE
    assert np.allclose(particles.shift_yx, shift, atol=1e-4)
    (volume,) = run.volume_model().volumes(torch.tensor(table.latent[:1]).float())
    assert volume.shape == (BOX, BOX, BOX)
    assert bool(volume.isfinite().all())


def test_one_structure_has_no_latents(tmp_path: Path) -> None:
    Workdir(tmp_path, kind="homogeneous", latent_dim=0).write()
    assert convert(tmp_path) == 0
    run = open_hetero_run(tmp_path / "out")
    assert run.latent_dim == 0
    assert not (tmp_path / "out" / "latents.csv").exists()
    assert len(list(run.volume_model().volumes(torch.zeros(1, 0)))) == 1


def test_the_folder_stays_as_it_was(tmp_path: Path) -> None:
    Workdir(tmp_path).write()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert convert(tmp_path) == 0
    assert all(path.read_bytes() == content for path, content in before.items())


def test_latents_belong_to_the_images_of_the_index(tmp_path: Path) -> None:
    made = Workdir(tmp_path, index=(7, 2, 9), refines_poses=True).write()
    assert convert(tmp_path) == 0
    run = open_hetero_run(tmp_path / "out")
    particles = run.particle_file().particles
    assert particles.slice_index.tolist() == [7, 2, 9]
    assert len(run.latents()) == 3
    # refined shifts count a box that is larger by one
    shift = made.shift_xy[[7, 2, 9], ::-1] * BOX * PIXEL_SIZE
    assert np.allclose(particles.shift_yx, shift, atol=1e-4)


def test_an_epoch_may_be_chosen_and_all_be_kept(tmp_path: Path) -> None:
    made = Workdir(tmp_path, epochs=(1, 5)).write()
    dump(tmp_path / "z.5.pkl", made.latent + 1, made.log_variance)
    assert convert(tmp_path, "--epoch", "5", "--every-epoch") == 0
    run = open_hetero_run(tmp_path / "out")
    assert run.epochs() == (1, 5)
    assert np.allclose(run.latents().latent, made.latent + 1, atol=1e-6)
    assert np.allclose(run.latents(1).latent, made.latent, atol=1e-6)


@pytest.mark.parametrize(
    ("has_ctf", "is_inverted", "scale"),
    [(True, True, 1.0), (True, False, -1.0), (False, True, -1.0), (False, False, 1.0)],
)
def test_densities_stay_bright(
    tmp_path: Path, *, has_ctf: bool, is_inverted: bool, scale: float
) -> None:
    Workdir(tmp_path, has_ctf=has_ctf, invert_data=is_inverted).write()
    assert convert(tmp_path) == 0
    particles = open_hetero_run(tmp_path / "out").particle_file().particles
    assert (particles.ctf_scale == scale).all()


def test_data_that_moved_may_be_given(tmp_path: Path) -> None:
    Workdir(tmp_path / "run", index=(1, 2)).write()
    moved = (tmp_path / "run" / "data").rename(tmp_path / "new place")
    words = ["--particles", str(moved / "images.mrcs"), "--ctf", str(moved / "ctf.pkl")]
    words += ["--poses", str(moved / "pose.pkl"), "--ind", str(moved / "ind.pkl")]
    assert convert(tmp_path / "run", *words) == 0
    particles = open_hetero_run(tmp_path / "run" / "out").particle_file().particles
    assert particles.stacks[0].samefile(moved / "images.mrcs")


def test_the_network_may_be_left_out(tmp_path: Path) -> None:
    Workdir(tmp_path).write()
    (tmp_path / "weights.pkl").write_bytes(b"broken")
    assert convert(tmp_path, "--no-network") == 0
    assert (tmp_path / "out" / "latents.csv").exists()
    assert not (tmp_path / "out" / "best.safetensors").exists()


def of_star(made: Workdir, star: Path) -> None:
    """Let the CTF and the poses be those of a STAR file."""
    own = read_particles(star).particles
    table, poses = ctf_table(own), pose_table(own)
    table[:, :2] = BOX, PIXEL_SIZE
    dump(made.folder / "data" / "ctf.pkl", table)
    dump(made.folder / "data" / "pose.pkl", (poses.rotation, poses.shift_xy))
    images = np.zeros((NUM_IMAGES, BOX, BOX), np.float32)
    write_volume(star.with_name(f"{star.stem}_0.mrcs"), Volume(images, PIXEL_SIZE))


def test_tilt_series_have_a_latent_for_each_particle(tmp_path: Path) -> None:
    made = Workdir(tmp_path).write()
    groups = [f"p{number % 4}" for number in range(NUM_IMAGES)]
    scale = np.repeat([1.0, 0.9, 0.8], 4)
    columns = {"rlnGroupName": groups, "rlnCtfScalefactor": scale}
    star = write_star(tmp_path / "tilts.star", (NUM_IMAGES,), **columns)
    of_star(made, star)
    config = made.config
    config["model_args"]["encode_mode"] = "tilt"
    (tmp_path / "config.yaml").write_text(yaml.dump(config))
    dump(tmp_path / "z.pkl", made.latent[:4], made.log_variance[:4])
    assert convert(tmp_path, "--particles", str(star)) == 0
    run = open_hetero_run(tmp_path / "out")
    assert run.latents().row.tolist() == [0, 1, 2, 3]
    particles = run.particle_file().particles
    assert particles.particle.tolist() == [0, 1, 2, 3] * 3
    assert particles.ctf_scale.tolist() == scale.tolist()


def test_several_pixel_sizes_and_later_versions_are_said(tmp_path: Path) -> None:
    made = Workdir(tmp_path)
    made.ctf[6:, 1] *= 1.2
    made.write()
    (tmp_path / "config.yaml").write_text(yaml.dump(made.config | {"version": "7.0"}))
    assert convert(tmp_path) == 0
    log = (tmp_path / "out" / "log.txt").read_text()
    assert "cryoDRGN took 2.5 for all of them" in log
    assert "written by cryoDRGN 7.0" in log


def test_record_and_report_say_what_was_read(tmp_path: Path) -> None:
    Workdir(tmp_path, epochs=(3,)).write()
    assert convert(tmp_path) == 0
    record = (tmp_path / "out" / "run.json").read_text()
    assert json.loads(record)["job"] == "tools.import-cryodrgn"
    for name in ("config.yaml", "weights.pkl", "z.pkl", "ctf.pkl", "pose.pkl", "images.mrcs"):
        assert name in record
    assert "What was taken over" in (tmp_path / "out" / "report.html").read_text()


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    Workdir(tmp_path).write()
    assert convert(tmp_path, "--dry-run") == 0
    assert not (tmp_path / "out").exists()


class Runs:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (self.mark,)


@pytest.mark.parametrize("name", ["z.pkl", "data/ctf.pkl", "data/pose.pkl", "data/ind.pkl"])
def test_pickles_with_code_are_refused(name: str, tmp_path: Path, capsys: Capture) -> None:
    Workdir(tmp_path, index=(1, 2)).write()
    dump(tmp_path / name, Runs(tmp_path / "executed"))
    message = refused(tmp_path, capsys)
    assert f"{Path(name).name}: asks for" in message
    assert "nothing was executed" in message
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("name", ["z.pkl", "data/ctf.pkl", "data/pose.pkl", "weights.pkl"])
def test_files_cut_short_are_refused(name: str, tmp_path: Path, capsys: Capture) -> None:
    Workdir(tmp_path).write()
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 3])
    assert f"{Path(name).name}: damaged" in refused(tmp_path, capsys)


def test_latents_without_their_variances_are_said(tmp_path: Path) -> None:
    made = Workdir(tmp_path).write()
    dump(tmp_path / "z.pkl", made.latent)
    assert convert(tmp_path) == 0
    assert "without log-variances" in (tmp_path / "out" / "log.txt").read_text()


@pytest.mark.parametrize("name", ["config.yaml", "z.pkl", "weights.pkl", "data/images.mrcs"])
def test_missing_files_are_named(name: str, tmp_path: Path, capsys: Capture) -> None:
    Workdir(tmp_path).write()
    (tmp_path / name).unlink()
    assert Path(name).name in refused(tmp_path, capsys)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("z.pkl", lambda m: (m.latent[:5], m.log_variance[:5]), "5 latents of 3 dimensions"),
        ("z.pkl", lambda m: (m.latent[:, :2], m.log_variance[:, :2]), "latents of 2 dimensions"),
        ("z.pkl", lambda m: (m.latent * np.nan, m.log_variance), "that are not finite"),
        ("z.pkl", lambda m: (m.latent, m.log_variance[:4]), "log-variances"),
        ("data/pose.pkl", lambda m: (m.rotation[:5],), "5 rows, but there are 12 images"),
        ("data/pose.pkl", lambda m: (m.rotation * 0,), "row 0 is no rotation"),
        ("data/pose.pkl", lambda m: ((m.rotation, m.shift_xy * 100),), "--shifts pixels"),
        ("data/ctf.pkl", lambda m: (m.ctf[:, :8],), "expected an array of N x 9"),
        ("data/ctf.pkl", lambda m: (m.ctf[:3],), "3 rows, but there are 12 images"),
        ("data/ind.pkl", lambda m: (np.array([3, 12]),), "names image 12, but the last is 11"),
    ],
)
def test_what_does_not_go_together_is_refused(
    name: str, change: Any, message: str, tmp_path: Path, capsys: Capture
) -> None:
    made = Workdir(tmp_path, index=(3, 1) if "ind" in name else None).write()
    dump(tmp_path / name, *change(made))
    assert message in refused(tmp_path, capsys)


def test_settings_with_python_in_them_are_refused(tmp_path: Path, capsys: Capture) -> None:
    Workdir(tmp_path).write()
    (tmp_path / "config.yaml").write_text("a: !!python/object/apply:os.system ['true']\n")
    assert "asks for a Python object" in refused(tmp_path, capsys)


def test_poses_of_an_abinitio_run_are_needed(tmp_path: Path, capsys: Capture) -> None:
    made = Workdir(tmp_path, kind="abinitio", domain="hartley", epochs=(3,)).write()
    (tmp_path / "pose.3.pkl").unlink()
    assert "no pose.3.pkl" in refused(tmp_path, capsys)
    # it writes rotations alone if it was told not to look for shifts
    dump(tmp_path / "pose.3.pkl", made.rotation)
    assert convert(tmp_path) == 0
    assert (open_hetero_run(tmp_path / "out").particle_file().particles.shift_yx == 0).all()


def test_particles_without_a_name_are_asked_for(tmp_path: Path, capsys: Capture) -> None:
    config = Workdir(tmp_path).write().config
    config["dataset_args"]["particles"] = None
    (tmp_path / "config.yaml").write_text(yaml.dump(config))
    assert "names no particles" in refused(tmp_path, capsys)


def test_inputs_are_not_written_over(tmp_path: Path, capsys: Capture) -> None:
    made = Workdir(tmp_path).write()
    star = write_star(tmp_path / "particles.star", (NUM_IMAGES,), has_images=False)
    of_star(made, star)
    before = star.read_bytes()
    words = ["--workdir", str(tmp_path), "--particles", str(star), "--output", str(tmp_path)]
    assert cli.main(["tools", "import-cryodrgn", *words]) == 2
    assert "over itself" in capsys.readouterr().err
    assert star.read_bytes() == before


def particles_alone(folder: Path, *words: str) -> int:
    given = {"--particles": "images.mrcs", "--poses": "pose.pkl", "--ctf": "ctf.pkl"}
    files = [word for flag, name in given.items() for word in (flag, str(folder / "data" / name))]
    output = ["--output", str(folder / "out")]
    return cli.main(["tools", "import-cryodrgn", *files, *output, *words])


@pytest.mark.parametrize(("words", "scale"), [((), 1.0), (("--contrast", "dark"), -1.0)])
def test_a_stack_with_poses_and_ctf_becomes_a_star_file(
    words: tuple[str, ...], scale: float, tmp_path: Path
) -> None:
    made = Workdir(tmp_path).write()
    assert particles_alone(tmp_path, *words) == 0
    particles = read_particles(tmp_path / "out" / "particles.star").particles
    assert np.allclose(particles.rotation, made.rotation, atol=1e-5)
    assert np.allclose(particles.defocus_u, made.ctf[:, 2])
    assert (particles.ctf_scale == scale).all()
    assert not (tmp_path / "out" / "hetero.json").exists()


def test_particles_alone_need_poses(tmp_path: Path, capsys: Capture) -> None:
    Workdir(tmp_path).write()
    words = ["--particles", str(tmp_path / "data" / "images.mrcs"), "--output", str(tmp_path / "o")]
    assert cli.main(["tools", "import-cryodrgn", *words]) == 2
    assert "--poses is missing" in capsys.readouterr().err


def test_contrast_of_a_run_is_in_its_settings(tmp_path: Path, capsys: Capture) -> None:
    Workdir(tmp_path).write()
    assert "--contrast and --are-tilts" in refused(tmp_path, capsys, "--contrast", "dark")
