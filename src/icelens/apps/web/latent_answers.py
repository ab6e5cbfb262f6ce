"""What the latent explorer's routes take and answer, as JSON."""

from typing import Annotated

from pydantic import BaseModel, Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
Latent = Annotated[list[Finite], Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(pattern=r"^[\w][\w .+-]{0,79}$")]
"""Of a file to be saved, without ending."""


class ColumnFacts(BaseModel):
    """A column that can be an axis or a colour; `values` and `labels` are those of classes."""

    name: str
    label: str
    unit: str
    kind: str
    values: list[float]
    labels: list[str]


class RunDescription(BaseModel):
    """A run, its columns and what is missing."""

    kind: str
    count: int
    latent_dim: int
    box_size: int
    pixel_size: float
    columns: list[ColumnFacts]
    explained: list[float]
    notes: list[str]
    has_analysis: bool
    can_save: bool
    version: str


class PointFacts(BaseModel):
    """A latent, where it lies along principal components, and what stands behind it."""

    latent: list[float]
    pc: list[float]
    support: str
    num_near: int
    density_percentile: float
    nearest: int
    nearest_row: int


class PathFacts(BaseModel):
    """Points of a path, and remarks."""

    points: list[PointFacts]
    notes: list[str]


class SelectionToSave(BaseModel):
    """Selected particles as bits in base64, the first in the lowest bit of the first byte."""

    run: str
    bits: Annotated[str, Field(max_length=20_000_000)]
    name: Name


class SavedSelection(BaseModel):
    """Where a selection is, and the command that makes its STAR file again."""

    file: str
    index: str
    chosen: int
    count: int
    command: str


class VolumeToSave(BaseModel):
    """The volume at a latent, in full."""

    run: str
    latent: Latent
    name: Name


class PathToSave(BaseModel):
    """Latents of a path."""

    run: str
    latents: Annotated[list[Latent], Field(min_length=1, max_length=1000)]
    name: Name


class SavedFile(BaseModel):
    """Where something is, and what to do with it."""

    file: str
    command: str
