"""Names go to file names and back."""

import numpy as np
import pytest

from icelens.core.data.pickable import Source
from icelens.core.errors import GeometryError, MetadataError
from icelens.core.io.copick.keys import (
    Features,
    PicksKey,
    SegmentationKey,
    check_name,
    copick_name,
    picks_file,
    picks_key,
    segmentation_folder,
    segmentation_key,
    spacing_folder,
    spacing_of,
)


@pytest.mark.parametrize(
    ("text", "name"), [("beta_gal", "beta-gal"), (" a b/c ", "a-b-c"), ("80S", "80S")]
)
def test_forbidden_signs_become_dashes(text, name):
    assert copick_name(text) == name
    assert check_name(name, "object") == name


def test_a_name_of_nothing_but_forbidden_signs_is_refused():
    with pytest.raises(MetadataError, match="cannot be a name"):
        copick_name(" _/ ")


def test_a_forbidden_name_comes_with_the_one_to_use():
    with pytest.raises(MetadataError, match=r"user 'a_b' .* call it 'a-b'"):
        check_name("a_b", "user")


def test_file_names_say_what_they_hold():
    picks = PicksKey("beta-gal", Source("curation", "0"))
    assert picks_file(picks) == "curation_0_beta-gal.json"
    assert picks_key(picks_file(picks)) == picks
    for is_multilabel in (True, False):
        key = SegmentationKey(10.012, "targets", Source("icelens", "1"), is_multilabel)
        assert segmentation_key(segmentation_folder(key)) == key
    assert spacing_of(spacing_folder(7.84)) == 7.84


@pytest.mark.parametrize("name", ["notes.json", "a_b.json", "a__c.json"])
def test_other_files_are_no_picks(name):
    assert picks_key(name) is None


@pytest.mark.parametrize("name", ["a_b_c_d.zarr", "10.000_u_1.zarr", "0.000_u_1_n.zarr"])
def test_other_folders_are_no_segmentations(name):
    assert segmentation_key(name) is None


def test_features_need_channels_and_a_sampling():
    with pytest.raises(GeometryError, match="channel, z, y, x"):
        Features(np.zeros((2, 2, 2)), 10.0)
    with pytest.raises(MetadataError, match="positive"):
        Features(np.zeros((1, 2, 2, 2)), 0.0)
