"""Tilts of each program: real files where there are some, small ones made by rule elsewhere."""

import numpy as np
import pytest

from icelens.core.data.tilt_series import TiltSeries
from icelens.core.data.tomograms import TomogramList, TomogramRow
from icelens.core.errors import InputFileError, MetadataError
from icelens.core.io.relion_tomograms import read_relion_tomograms, write_relion_tomograms
from icelens.core.io.tilt_series import read_tilt_series

ANGLES = np.array([0.0, 3.0, -3.0, 6.0])


def write(path, text):
    path.write_text(text)
    return path


def test_a_serialem_mdoc_gives_angles_axis_and_spacing(shared_data):
    tilts = read_tilt_series(shared_data / "metadata_star" / "tilt_series.mdoc")
    assert len(tilts) == 41
    assert tilts.angles[:2] == pytest.approx([0.000999877, 3.00113])
    assert (tilts.tilt_axis_angle, tilts.pixel_size) == (85.3, 5.4)
    assert tilts.dose is None  # ExposureDose is 0 in each section


def test_dose_of_an_mdoc_accumulates_in_order_of_time_not_of_angle(tmp_path):
    times = {-3.0: "10:02:00", 0.0: "10:00:00", 3.0: "10:01:00"}
    sections = "".join(
        f"[ZValue = {n}]\nTiltAngle = {angle}\nExposureDose = {n + 1}\n"
        f"DateTime = 30-Nov-15  {time}\n\n"
        for n, (angle, time) in enumerate(times.items())
    )
    tilts = read_tilt_series(write(tmp_path / "a b.mdoc", "PixelSpacing = 0\n\n" + sections))
    assert tilts.dose.tolist() == [5.0, 0.0, 2.0]
    assert tilts.pixel_size is None
    assert tilts.sorted_by_angle().dose.tolist() == [5.0, 0.0, 2.0]


def test_a_real_rawtlt_is_read(shared_data):
    tilts = read_tilt_series(shared_data / "tiltseries_sim" / "ot2rec_TS_01.rawtlt")
    assert (len(tilts), tilts.tilt_min, tilts.tilt_max) == (40, -60.0, 57.0)


def test_imods_defocus_is_in_nanometres_and_interpolated(tmp_path):
    tlt = write(tmp_path / "a.tlt", "-3\n0\n3\n")
    write(tmp_path / "a.defocus", "1 1 -3 -3 3000 2\n3 3 3 3 4000\n")
    assert read_tilt_series(tlt).defocus.tolist() == [30000.0, 35000.0, 40000.0]
    write(tmp_path / "a.defocus", "1 0 0 0 0 3\n1 1 -3 -3 3100 2900 20\n3 3 3 3 4100 3900 40\n")
    tilts = read_tilt_series(tlt)
    assert tilts.defocus_u.tolist() == [31000.0, 36000.0, 41000.0]
    assert tilts.defocus.tolist() == [30000.0, 35000.0, 40000.0]
    assert tilts.astigmatism_angle.tolist() == [20.0, 30.0, 40.0]


def warp_xml(path, *, use="True\nTrue\nFalse\nTrue"):
    nodes = "".join(f'<Node X="0" Y="0" Z="{n}" Value="{3 + n / 10}" />' for n in range(4))
    deltas = "".join(f'<Node X="0" Y="0" Z="{n}" Value="0.2" />' for n in range(4))
    return write(
        path,
        '<?xml version="1.0" encoding="utf-8"?><TiltSeries AreAnglesInverted="False">'
        f"<Angles>0\n3\n-3\n6</Angles><Dose>0\n2.5\n5\n7.5</Dose><UseTilt>{use}</UseTilt>"
        '<AxisAngle>85\n85\n85\n85</AxisAngle><CTF><Param Name="PixelSize" Value="1.35"/></CTF>'
        f'<GridCTF Width="1" Height="1" Depth="4">{nodes}</GridCTF>'
        f'<GridCTFDefocusDelta Width="1" Height="1" Depth="4">{deltas}</GridCTFDefocusDelta>'
        "</TiltSeries>",
    )


def test_warp_xml_gives_used_tilts_with_defocus_in_angstrom(tmp_path):
    tilts = read_tilt_series(warp_xml(tmp_path / "TS.xml"))
    assert tilts.angles.tolist() == [0.0, 3.0, 6.0]
    assert tilts.dose.tolist() == [0.0, 2.5, 7.5]
    assert tilts.defocus_u == pytest.approx([31000, 32000, 34000])
    assert tilts.defocus == pytest.approx([30000, 31000, 33000])
    assert (tilts.tilt_axis_angle, tilts.pixel_size) == (85.0, 1.35)
    assert tilts.defocus_at_zero_tilt == pytest.approx(30000)


ALN = (
    "# AreTomo Alignment / Priims bprmMn\n# RawSize = 100 100 5\n# NumPatches = 0\n"
    "# DarkFrame =    1    2    -3.00\n"
    "# SEC     ROT     GMAG     TX     TY     SMEAN     SFIT    SCALE     BASE     TILT\n"
    "1 87.0 1.0 0.0 0.0 1.0 1.0 1.0 0.0 -6.5\n3 87.0 1.0 0.0 0.0 1.0 1.0 1.0 0.0 -0.5\n"
    "4 87.0 1.0 0.0 0.0 1.0 1.0 1.0 0.0 2.5\n5 87.0 1.0 0.0 0.0 1.0 1.0 1.0 0.0 5.5\n"
    "# Local Alignment\n0 0 1 2 3 4 5 6 7 8\n"
)


def test_aretomo_leaves_out_dark_tilts_in_every_list(tmp_path):
    path = write(tmp_path / "TS 1.aln", ALN)
    write(tmp_path / "TS 1_TLT.txt", "-6 4 3\n-3 3 3\n0 1 3\n3 2 3\n6 5 3\n")
    write(
        tmp_path / "TS 1_CTF.txt",
        "# Columns: number, defocus 1, defocus 2, azimuth, phase, score, spacing\n"
        + "".join(f"{n} {30000 + n} {20000 + n} {10 * n} 0 0.5 9\n" for n in range(1, 6)),
    )
    tilts = read_tilt_series(path)
    assert tilts.angles.tolist() == [-6.5, -0.5, 2.5, 5.5]
    assert tilts.dose.tolist() == [9.0, 0.0, 3.0, 12.0]
    assert tilts.defocus_u.tolist() == [30001.0, 30003.0, 30004.0, 30005.0]
    assert tilts.astigmatism_angle.tolist() == [10.0, 30.0, 40.0, 50.0]
    assert tilts.tilt_axis_angle == 87.0


def test_a_folder_with_one_file_of_tilts_is_enough(tmp_path):
    folder = tmp_path / "TS_01_Imod"
    folder.mkdir()
    with pytest.raises(InputFileError, match=r"no \.xml"):
        read_tilt_series(folder)
    write(folder / "TS_01.tlt", "-3\n0\n3\n")
    assert read_tilt_series(folder).angles.tolist() == [-3.0, 0.0, 3.0]
    write(folder / "TS_02.tlt", "0\n")
    with pytest.raises(InputFileError, match=r"2 files end in \.tlt"):
        read_tilt_series(folder)


def test_a_relion_set_becomes_a_list_with_binned_pixel_size(shared_data):
    found = read_relion_tomograms(
        shared_data / "metadata_star" / "relion5_tomo" / "tilt_series.star"
    )
    assert found.names[0] == "220728_TS_01"
    first = next(iter(found.tomograms))
    assert (len(found.tomograms), first.pixel_size, first.voltage) == (5, 1.35 * 8, 300.0)
    assert first.full.name == "rec_220728_TS_01.mrc"
    tilts = found.tilt_series[0]
    assert len(tilts) == 41
    assert tilts.angles[0] == 9.02  # refined, not the stage's 0.001
    assert tilts.defocus[0] == pytest.approx((39424.761719 + 38845.812500) / 2)
    assert first.tilt_file.name == "220728_TS_01.star"
    assert first.tilt_min == tilts.tilt_min


def test_a_relion_set_whose_tilt_series_are_missing_says_which(shared_data):
    with pytest.raises(InputFileError, match=r"tomo200528_100\.star of tomo200528_100"):
        read_relion_tomograms(shared_data / "metadata_star" / "pytom_relion5" / "tomograms.star")


def test_relion_4s_projections_give_the_refined_angle(shared_data, tmp_path):
    star = shared_data / "metadata_star" / "relion5_tomo" / "220728_TS_01.star"
    without = write(
        tmp_path / "p.star",
        star.read_text()
        .replace("_rlnTomoYTilt", "_oldYTilt")
        .replace("_rlnTomoNominalStageTiltAngle", "_oldStage"),
    )
    # The projections were written with about twelve digits, the angles with two decimals.
    np.testing.assert_allclose(
        read_tilt_series(without).angles, read_tilt_series(star).angles, atol=0.01
    )
    warp = next((shared_data / "subtomo_real").glob("*_tomograms.star"))
    found = read_relion_tomograms(warp)
    assert len(found.tilt_series[0]) == 37
    assert found.tilt_series[0].dose.min() == 0.0


def test_a_written_relion_set_reads_back_equal(tmp_path):
    tilts = TiltSeries(
        ANGLES,
        dose=np.arange(4) * 2.5,
        defocus_u=np.full(4, 31000.0),
        defocus_v=np.full(4, 30000.0),
        astigmatism_angle=np.full(4, 12.5),
        tilt_axis_angle=85.25,
        pixel_size=1.35,
    )
    row = TomogramRow(
        index=4, pixel_size=10.8, even=tmp_path / "e.mrc", odd=tmp_path / "o.mrc", voltage=200.0
    )
    write_relion_tomograms(
        tmp_path / "set" / "tomograms.star",
        TomogramList.from_rows([row]),
        ("TS_01",),
        (tilts,),
        shapes={4: (40, 60, 50)},
    )
    found = read_relion_tomograms(tmp_path / "set" / "tomograms.star")
    again = found.tilt_series[0]
    for name in ("angles", "dose", "defocus_u", "defocus_v", "astigmatism_angle"):
        np.testing.assert_array_equal(getattr(again, name), getattr(tilts, name))
    read = next(iter(found.tomograms))
    assert (read.even, read.voltage, again.tilt_axis_angle) == (row.even, 200.0, 85.25)
    assert read.pixel_size == pytest.approx(10.8)
    text = (tmp_path / "set" / "tomograms.star").read_text()
    assert text.index("data_global") < text.index("_rlnVoltage")
    assert "\t400\t480\t320\t" in text  # unbinned x, y, z


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tlt", "-3\nzero\n"),
        ("a.tlt", ""),
        ("a.tlt", "95\n"),
        ("a.xml", "<not"),
        ("a.xml", "<Movie></Movie>"),
        ("a.mdoc", "PixelSpacing = 1\n"),
        ("a.mdoc", "[ZValue = 0]\nStageZ = 3\n"),
        ("a.aln", "# AreTomo Alignment\n"),
        ("a.star", "data_a\nloop_\n_rlnDefocusU\n1\n"),
        ("a.txt", "1 2"),
    ],
)
def test_files_without_tilts_are_refused_in_one_line(tmp_path, name, content):
    path = write(tmp_path / name, content)
    with pytest.raises((InputFileError, MetadataError)) as error:
        read_tilt_series(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)
    with pytest.raises(InputFileError):
        read_tilt_series(tmp_path / "absent" / name)


def test_lists_of_warp_that_differ_in_length_are_refused(tmp_path):
    path = warp_xml(tmp_path / "TS.xml")
    path.write_text(path.read_text().replace("\n7.5", ""))
    with pytest.raises(InputFileError, match="3 values of Dose for 4 angles"):
        read_tilt_series(path)


def test_fields_of_different_length_are_refused():
    with pytest.raises(MetadataError, match="4 tilt angles need as many"):
        TiltSeries(ANGLES, dose=np.zeros(3))
    with pytest.raises(MetadataError, match="negative"):
        TiltSeries(ANGLES, dose=-np.ones(4))
