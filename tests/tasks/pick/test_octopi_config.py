"""Settings of octopi are read in each of its layouts, and nothing in them is executed."""

from pathlib import Path

import pytest

from icelens.core.errors import InputFileError
from icelens.tasks.pick.octopi_config import read_model_config

NETWORK = """\
  architecture: Unet
  channels: [32, 64, 96, 96]
  strides: [2, 2, 1]
  num_res_units: 1
  dropout: 0.1
  dim_in: 96
  num_classes: 3
"""
COMPLETE = f"""\
model:
{NETWORK}labels: {{apo-ferritin: 1, ribosome: 2}}
optimizer: {{lr: 0.001, metric: avg_f1}}
dataloader:
  voxel_size: 10.012
  tomo_algorithm: [denoised, wbp]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "model_config.yaml"
    path.write_text(text)
    return path


def test_a_complete_file_is_read(tmp_path: Path) -> None:
    model = read_model_config(write(tmp_path, COMPLETE))
    assert model.network == {
        "architecture": "unet",
        "channels": [32, 64, 96, 96],
        "strides": [2, 2, 1],
        "num_res_units": 1,
        "dropout": 0.1,
    }
    assert (model.num_classes, model.box_size, model.pixel_size) == (3, 96, 10.012)
    assert model.labels == {"apo-ferritin": 1, "ribosome": 2}
    assert model.tomogram_types == ("denoised", "wbp")


def test_the_file_of_an_interrupted_run_has_no_labels(tmp_path: Path) -> None:
    model = read_model_config(write(tmp_path, f"model:\n{NETWORK}"))
    assert (model.labels, model.pixel_size, model.tomogram_types) == ({}, None, ())


def test_settings_without_sections_are_read(tmp_path: Path) -> None:
    flat = "\n".join(line.strip() for line in NETWORK.splitlines())
    assert read_model_config(write(tmp_path, flat)).num_classes == 3


def test_background_is_no_object(tmp_path: Path) -> None:
    text = COMPLETE.replace("labels: {", "labels: {background: 0, ")
    assert read_model_config(write(tmp_path, text)).labels == {"apo-ferritin": 1, "ribosome": 2}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("DynUNet", "dynunet"),
        ("SegResNet", "segresnet"),
        ("SwinUNETR", "swinunetr"),
        ("AttentionUnet", "attention-unet"),
        ("MedNeXt", "mednext"),
    ],
)
def test_present_and_former_names_are_known(tmp_path: Path, theirs: str, ours: str) -> None:
    text = f"model: {{architecture: {theirs}, num_classes: 2, dim_in: 64}}"
    assert read_model_config(write(tmp_path, text)).network == {"architecture": ours}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no settings"),
        ("- 1", "holds no settings"),
        ("model: {a: [", "not valid YAML"),
        ("model: 3", "names no architecture"),
        ("labels: {a: 1}", "names no architecture"),
        (COMPLETE.replace("Unet", "VNet"), "VNet is unknown"),
        (COMPLETE.replace("num_classes: 3", "num_classes: three"), "num_classes is 'three'"),
        (COMPLETE.replace("num_classes: 3", "num_classes: 1"), "num_classes is 1"),
        (COMPLETE.replace("  num_classes: 3\n", ""), "num_classes is None"),
        (COMPLETE.replace("dim_in: 96", "dim_in: -4"), "dim_in is -4"),
        (COMPLETE.replace("ribosome: 2", "ribosome: 3"), "do not belong together"),
        (COMPLETE.replace("ribosome: 2", "ribosome: 1"), "two objects"),
        (COMPLETE.replace("{apo-ferritin: 1, ribosome: 2}", "[a, b]"), "labels are"),
        (COMPLETE.replace("10.012", "-1"), "voxel_size is -1"),
        (f"model:\n{NETWORK}dataloader: wbp", "dataloader"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputFileError, match=words) as caught:
        read_model_config(write(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert "model_config.yaml" in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["!!python/object/apply:os.system ['touch {file}']", "!!python/tuple [1, 2]"],
)
def test_python_in_the_file_is_not_run(tmp_path: Path, value: str) -> None:
    file = tmp_path / "ran"
    text = COMPLETE.replace("0.1", value.format(file=file))
    with pytest.raises(InputFileError, match="nothing was executed") as caught:
        read_model_config(write(tmp_path, text))
    assert not file.exists()
    assert "\n" not in str(caught.value)


def test_missing_and_binary_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read"):
        read_model_config(tmp_path / "absent.yaml")
    path = tmp_path / "model_config.yaml"
    path.write_bytes(b"\x80\x02\xff\xfe")
    with pytest.raises(InputFileError, match="not valid YAML"):
        read_model_config(path)
