"""Parts are taken over only if they are whole and of the same settings and files."""

from pathlib import Path

import pytest
from watched_folder import write_incoming, write_model

from icelens.core.fourier.insertion import SliceSums
from icelens.tasks.pose import infer_marks
from icelens.tasks.pose.infer_marks import fingerprint, is_done
from icelens.tasks.pose.infer_settings import InferConfig
from icelens.tasks.pose.sums_file import write_sums


def test_particles_that_changed_in_place_change_the_mark(tmp_path: Path) -> None:
    star = write_incoming(tmp_path / "new.star")
    config = InferConfig(
        model=write_model(tmp_path / "model"), particles=(star,), output=tmp_path / "out"
    )
    before = fingerprint(config)
    assert fingerprint(config.model_copy(update={"workers": 3})) == before
    star.write_text(star.read_text() + "\n")
    assert fingerprint(config) != before


@pytest.mark.parametrize("damage", [None, "absent", "cut"])
def test_a_part_counts_only_with_its_sums(
    damage: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infer_marks, "_mark_of", lambda path: "mark")
    sums = tmp_path / "part_sums.safetensors"
    if damage != "absent":
        write_sums(sums, SliceSums(8))
    if damage == "cut":
        sums.write_bytes(sums.read_bytes()[:200])
    done = [
        is_done(tmp_path, "part", mark, resume=True, needs_sums=needed)
        for mark, needed in (("mark", False), ("mark", True), ("other", False))
    ]
    assert done == [True, damage is None, False]
    assert not list(tmp_path.iterdir()), "what is not taken over goes"
