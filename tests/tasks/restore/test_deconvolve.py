import math
from pathlib import Path

import numpy as np
import pytest
import torch
from restore_files import SHAPE, run_words, write_density

from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.data.volume import Volume
from icelens.core.errors import GeometryError, IcelensError, InputFileError, MetadataError
from icelens.core.io.tomogram_star import read_tomograms, write_tomograms
from icelens.core.io.volumes import open_volume, write_volume
from icelens.tasks.restore.deconvolve import (
    DeconvolutionSettings,
    deconvolution_curve,
    write_deconvolved,
)
from icelens.tasks.restore.jobs import deconvolve, estimate_deconvolve

STAR = Path("tomograms.star")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def list_one(full: Path, **fields: float) -> TomogramRow:
    values = {"pixel_size": 10.0, "defocus": 35000.0} | fields
    row = TomogramRow(index=1, full=full, **values)  # type: ignore[arg-type]
    write_tomograms(STAR, TomogramList.from_rows([row]))
    return row


def test_result_keeps_mean_spread_sampling_and_origin(folder: Path) -> None:
    values = 40 + 3 * np.random.default_rng(0).standard_normal(SHAPE)
    path = folder / "TS_01.mrc"
    write_volume(path, Volume(values.astype(np.float32), 10.0, (5.0, -6.0, 7.0)))
    list_one(path)
    run_words(deconvolve, "--star tomograms.star")
    (row,) = read_tomograms(STAR)
    assert row.deconvolved == Path("deconvolved/TS_01_deconvolved.mrc")
    result = open_volume(row.require("deconvolved"))
    # Header values and voxels are float32, sums are double.
    assert result.array.mean(dtype=float) == pytest.approx(values.mean(), rel=1e-6)
    assert result.array.std(dtype=float) == pytest.approx(values.std(), rel=1e-5)
    assert (result.pixel_size, result.origin_xyz) == (pytest.approx(10.0), (5.0, -6.0, 7.0))


def test_curve_is_that_of_the_reference() -> None:
    row = TomogramRow(index=1, pixel_size=8.0, defocus=30000.0, amplitude_contrast=0.07)
    curve = deconvolution_curve(row, DeconvolutionSettings(1.2, 0.8, 0.03))
    for sample in (0, 20, 300, 1000, 2047):
        x = sample / 2047
        k = x / (2 * 8e-10)
        wavelength = 12.2643247e-10 / math.sqrt(3e5 * (1 + 0.978466e-6 * 3e5))
        w = math.pi / 2 * (wavelength**3 * 2.7e-3 * k**4 - 2 * wavelength * 30000e-10 * k**2)
        # Amplitude contrast 0.07 as cosine and sine of one angle; underfocus positive.
        ctf = 0.07 * math.cos(w) - math.sqrt(1 - 0.07**2) * math.sin(w)
        highpass = 1 - math.cos(math.pi * min(1, x / 0.03))
        snr = math.exp(-100 * 1.2 * x / 8.0) * 10**0.8 * highpass + 1e-6
        # The electron wavelength has six digits, so has the phase of some ten radians.
        assert float(curve[sample]) == pytest.approx(ctf / (ctf**2 + 1 / snr), rel=1e-4)


def test_amplitude_contrast_of_the_list_counts() -> None:
    rows = [
        TomogramRow(index=1, pixel_size=10.0, defocus=35000.0, amplitude_contrast=contrast)
        for contrast in (0.07, 0.2)
    ]
    curves = [deconvolution_curve(row, DeconvolutionSettings()) for row in rows]
    assert float((curves[0] - curves[1]).abs().max()) > 0.1


def test_phase_flipped_input_is_never_inverted() -> None:
    row = TomogramRow(index=1, pixel_size=5.0, defocus=40000.0)
    signed = deconvolution_curve(row, DeconvolutionSettings())
    assert float(signed.min()) < 0
    flipped = deconvolution_curve(row, DeconvolutionSettings(phase_flipped=True))
    torch.testing.assert_close(flipped, signed.abs())


def test_dark_protein_stays_dark_and_its_rings_fade(folder: Path) -> None:
    # A point of protein as the microscope shows it: the transform of its CTF.
    row = TomogramRow(index=1, pixel_size=10.0, defocus=35000.0)
    shape = (64, 64, 64)
    frequency = np.fft.fftfreq(64)
    radius = np.sqrt(sum(f**2 for f in np.meshgrid(*[frequency] * 3, indexing="ij")))
    k = radius / 10.0
    wavelength = 0.019687
    ctf = np.sin(math.pi * wavelength * 35000 * k**2 + math.asin(0.1))
    seen = -np.fft.ifftn(ctf * np.exp(-((radius / 0.2) ** 2))).real
    seen = np.roll(seen, (32, 32, 32), (0, 1, 2))
    path = write_density(folder / "point.mrc", seen)
    write_deconvolved(
        Path("out.mrc"), path, open_volume(path), deconvolution_curve(row, DeconvolutionSettings())
    )
    found = open_volume(Path("out.mrc")).array
    assert np.unravel_index(np.argmin(found), shape) == (32, 32, 32)

    def ringing(values: np.ndarray) -> float:
        centred = values - np.median(values)
        return float(centred.max() / -centred.min())

    assert ringing(np.asarray(found)) < 0.5 * ringing(seen)


def test_chunks_give_the_same_file(folder: Path) -> None:
    rng = np.random.default_rng(0)
    list_one(write_density(folder / "TS_01.mrc", 100 + rng.standard_normal((20, 70, 90))))
    run_words(deconvolve, "--star tomograms.star --output whole --chunk-size auto")
    run_words(deconvolve, "--star tomograms.star --output cut --chunk-size 60")
    whole, cut = (
        np.asarray(open_volume(Path(name) / "TS_01_deconvolved.mrc").array, float)
        for name in ("whole", "cut")
    )
    # As promised by the streamed filter: 3e-4 root mean square, 5 sigma at the worst voxel.
    assert np.abs(whole - cut).max() < 1.5e-3 * whole.std()


def test_dry_run_counts_voxels(folder: Path) -> None:
    list_one(write_density(folder / "TS_01.mrc"))
    estimate = estimate_deconvolve(deconvolve.config_type(star=STAR))
    assert estimate.disk_bytes == 4 * math.prod(SHAPE)
    assert estimate.seconds > 0


def constant(folder: Path) -> str:
    list_one(write_density(folder / "TS_01.mrc", np.full(SHAPE, 7.0)))
    return ""


def not_a_number(folder: Path) -> str:
    values = np.random.default_rng(0).random(SHAPE)
    values[6, 9, 3] = np.inf
    list_one(write_density(folder / "TS_01.mrc", values))
    return ""


def no_defocus(folder: Path) -> str:
    list_one(write_density(folder / "TS_01.mrc"), defocus=0.0)
    return ""


def nowhere(folder: Path) -> str:
    list_one(Path("gone.mrc"))
    return ""


def halves_only(folder: Path) -> str:
    row = TomogramRow(index=1, pixel_size=10.0, even=Path("a.mrc"), odd=Path("b.mrc"))
    write_tomograms(STAR, TomogramList.from_rows([row]))
    return ""


def small_chunk(folder: Path) -> str:
    list_one(write_density(folder / "TS_01.mrc"))
    return "--chunk-size 24"


def text_for_a_chunk(folder: Path) -> str:
    list_one(write_density(folder / "TS_01.mrc"))
    return "--chunk-size many"


@pytest.mark.parametrize(
    ("make", "kind", "says"),
    [
        (constant, InputFileError, "TS_01.mrc: every voxel is 7"),
        (not_a_number, InputFileError, r"TS_01.mrc: NaN or infinite .*\(6, 9, 3\)"),
        (no_defocus, MetadataError, "rlnDefocus is 0, expected Å"),
        (nowhere, InputFileError, "rlnTomoName names gone.mrc"),
        (halves_only, MetadataError, "rlnTomoName is None; fill it with .*--full"),
        (small_chunk, GeometryError, "set --chunk-size to"),
        (text_for_a_chunk, IcelensError, "--chunk-size: found 'many'"),
    ],
)
def test_bad_input_is_named_and_leaves_nothing(
    folder: Path, make: object, kind: type[IcelensError], says: str
) -> None:
    assert callable(make)
    line = make(folder)
    before = STAR.read_bytes()
    with pytest.raises(kind, match=says):
        run_words(deconvolve, f"--star tomograms.star {line}")
    assert STAR.read_bytes() == before
    assert not list(Path("deconvolved").glob("*.mrc"))
