from pathlib import Path

import numpy as np
import pytest
from particle_stars import write_star

from icelens.core.data.volume import Volume
from icelens.core.errors import IcelensError, InputFileError, MetadataError, MissingStackError
from icelens.core.io.cryodrgn_images import read_image_list
from icelens.core.io.volumes import write_volume


def stack(path: Path, count: int, side: int = 8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_volume(path, Volume(np.zeros((count, side, side), np.float32), 2.0))
    return path


def test_a_stack_stands_for_its_images(tmp_path: Path) -> None:
    images = read_image_list(stack(tmp_path / "mein Stück.mrcs", 3))
    assert images.slice_index.tolist() == [0, 1, 2]
    assert images.stack_header() == (8, 2.0)
    assert images.particle() is None


def test_a_list_stands_for_its_stacks_one_after_the_other(tmp_path: Path) -> None:
    stack(tmp_path / "one.mrcs", 2), stack(tmp_path / "below" / "two.mrcs", 3)
    (tmp_path / "list.txt").write_text("below/two.mrcs\n\none.mrcs\n")
    images = read_image_list(tmp_path / "list.txt")
    assert [path.name for path in images.stacks] == ["two.mrcs", "one.mrcs"]
    assert images.stack.tolist() == [0, 0, 0, 1, 1]
    assert images.slice_index.tolist() == [0, 1, 2, 0, 1]
    chosen = images.take(np.array([4, 0]))
    assert (chosen.stack.tolist(), chosen.slice_index.tolist()) == ([1, 0], [1, 0])


def test_a_star_file_stands_for_its_rows(tmp_path: Path) -> None:
    images = read_image_list(write_star(tmp_path / "all.star", rlnGroupName=list("abcab")))
    assert images.stack.tolist() == [0, 0, 0, 1, 1]
    assert images.slice_index.tolist() == [0, 1, 2, 0, 1]
    assert images.particle().tolist() == [0, 1, 2, 0, 1]
    assert images.take(np.array([3, 2])).particle().tolist() == [0, 1]


def test_stacks_of_a_star_file_may_lie_elsewhere(tmp_path: Path) -> None:
    star = write_star(tmp_path / "all.star", (2,), has_images=False)
    assert read_image_list(star).stack_header() is None
    stack(tmp_path / "moved" / "all_0.mrcs", 2)
    assert read_image_list(star, tmp_path / "moved").stack_header() == (8, 2.0)


def test_a_cryosparc_file_stands_for_its_rows(tmp_path: Path) -> None:
    stack(tmp_path / "J1" / "a.mrc", 2)
    kinds = [("uid", "u8"), ("blob/path", "S20"), ("blob/idx", "u4")]
    records = np.array([(1, b">J1/a.mrc", 1), (2, b">J1/a.mrc", 0)], kinds)
    with (tmp_path / "p.cs").open("wb") as stream:
        np.save(stream, records)
    images = read_image_list(tmp_path / "p.cs")
    assert images.slice_index.tolist() == [1, 0]
    assert images.stack_header() is not None


def test_a_cryosparc_file_without_images_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "p.cs").open("wb") as stream:
        np.save(stream, np.zeros(2, [("uid", "u8")]))
    with pytest.raises(MetadataError, match="field blob/idx is missing"):
        read_image_list(tmp_path / "p.cs")


@pytest.mark.parametrize("name", ["absent.mrcs", "list.txt"])
def test_a_missing_stack_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("absent.mrcs\n")
    with pytest.raises(MissingStackError, match=r"absent.mrcs: no such stack"):
        read_image_list(tmp_path / name)


@pytest.mark.parametrize(("name", "content"), [("a.pkl", "x"), ("a.txt", ""), ("a.star", "")])
def test_what_lists_no_images_is_refused(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputFileError) as caught:
        read_image_list(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_images_that_are_not_square_are_refused(tmp_path: Path) -> None:
    write_volume(tmp_path / "a.mrcs", Volume(np.zeros((2, 8, 6), np.float32), 2.0))
    with pytest.raises(IcelensError, match="6 x 8 px, expected square"):
        read_image_list(tmp_path / "a.mrcs").stack_header()
