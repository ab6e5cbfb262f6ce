"""Which images cryoDRGN was given: a stack, a list of stacks, a STAR file or cryoSPARC's .cs."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from icelens.core.errors import InputFileError, MetadataError, MissingStackError
from icelens.core.io.cryosparc_records import field_names, load_records, text_of
from icelens.core.io.image_columns import blocks_of_images, split_image_names
from icelens.core.io.mrc import SUFFIXES, read_mrc_stack_header
from icelens.core.io.number_table import read_text
from icelens.core.io.stack_paths import find_stacks
from icelens.core.io.star import read_star

if TYPE_CHECKING:
    import pandas

Integers = npt.NDArray[np.int64]

GROUP = "rlnGroupName"
"""Names the particle of each tilt, as M writes it."""


@dataclass(frozen=True, eq=False)
class ImageList:
    """Images in the order of a file.

    Attributes:
        path: The file that lists them.
        stacks: Files of the images; some may be missing.
        stack: `(row,)` place in `stacks`.
        slice_index: `(row,)` image in its stack, from 0.
        table: Columns of a STAR file, one row per image; None of other files.
    """

    path: Path
    stacks: tuple[Path, ...]
    stack: Integers
    slice_index: Integers
    table: "pandas.DataFrame | None" = None

    def __len__(self) -> int:
        """Number of images."""
        return len(self.stack)

    def take(self, rows: Integers) -> "ImageList":
        """The images of these rows, in that order."""
        table = None if self.table is None else self.table.iloc[rows].reset_index(drop=True)
        return replace(
            self, stack=self.stack[rows], slice_index=self.slice_index[rows], table=table
        )

    def stack_header(self) -> tuple[int, float | None] | None:
        """Box size in px and pixel size in Å of the first stack that is there; None if none is.

        Raises:
            InputFileError: If its images are not square.
        """
        for path in self.stacks:
            if path.is_file():
                header = read_mrc_stack_header(path)
                _, y, x = header.shape
                if y != x:
                    raise InputFileError(
                        f"{path}: images of {x} x {y} px, expected square ones; give another stack"
                    )
                return x, header.pixel_size
        return None

    def particle(self) -> Integers | None:
        """`(row,)` number of the particle of each tilt, in the order of first appearance.

        None if the file does not name particles.
        """
        import pandas as pd

        if self.table is None or GROUP not in self.table.columns:
            return None
        return pd.factorize(self.table[GROUP])[0].astype(np.int64)


def read_image_list(path: Path, stack_root: Path | None = None) -> ImageList:
    """Read which images a file stands for.

    Args:
        path: `.mrcs` (or another MRC): its images; `.txt`: those of the stacks in its lines, one
            after the other; `.star` or `.cs`: those of its rows, whose stacks may be missing.
        stack_root: Folder of the stacks, if they are not where the file says.

    Raises:
        InputFileError: If the file cannot be read or is of a kind that is not known.
        MetadataError: If it lists no images.
        MissingStackError: If images of a missing stack would have to be counted.
    """
    suffix = path.suffix.lower()
    if suffix == ".star":
        _, table = blocks_of_images(path, read_star(path))
        names, stack, slice_index = split_image_names(path, table)
        return ImageList(path, find_stacks(path, names, stack_root), stack, slice_index, table)
    if suffix == ".cs":
        return _of_cryosparc(path, stack_root)
    if suffix == ".txt":
        lines = read_text(path, expected="a stack in each line").splitlines()
        named = [line.strip() for line in lines if line.strip()]
        return _of_whole_stacks(path, find_stacks(path, named, stack_root))
    if suffix in SUFFIXES:
        return _of_whole_stacks(path, (path,))
    raise InputFileError(
        f"{path}: images cannot be read from this ending, expected .mrcs, .txt, .star or .cs"
    )


def _of_whole_stacks(path: Path, stacks: tuple[Path, ...]) -> ImageList:
    missing = [each for each in stacks if not each.is_file()]
    if missing:
        raise MissingStackError(
            f"{missing[0]}: no such stack of images, named by {path}; give the folder of the "
            "stacks (--datadir)"
        )
    counts = [read_mrc_stack_header(each).shape[0] for each in stacks]
    # a stack named twice is one file and two stretches of images
    return ImageList(
        path,
        stacks,
        np.repeat(np.arange(len(stacks)), counts).astype(np.int64),
        np.concatenate([np.arange(count) for count in counts]).astype(np.int64),
    )


def _of_cryosparc(path: Path, stack_root: Path | None) -> ImageList:
    records = load_records(path)
    missing = {"blob/path", "blob/idx"} - set(field_names(records))
    if missing or not len(records):
        what = f"field {min(missing)} is missing" if missing else "no rows"
        raise MetadataError(f"{path}: {what}, expected particle images; give another file")
    names, stack = np.unique(records["blob/path"], return_inverse=True)
    slice_index = records["blob/idx"].astype(np.int64)
    if slice_index.min() < 0:
        raise MetadataError(f"{path}: blob/idx is negative in some rows; export it again")
    stacks = find_stacks(path, [text_of(name) for name in names], stack_root)
    return ImageList(path, stacks, stack.astype(np.int64), slice_index)
