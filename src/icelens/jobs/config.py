"""Config: the settings of a job, declared once for Python, command line, web form and record."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from icelens.core.errors import IcelensError


class ConfigError(IcelensError):
    """Settings that cannot be used; a line for each: flag, finding, expectation."""


class Config(BaseModel):
    """Frozen settings; unknown keys are refused; the string under a field is its help."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
        allow_inf_nan=False,
    )


Angstrom = Annotated[float, Field(json_schema_extra={"unit": "Å"})]
PositiveAngstrom = Annotated[Angstrom, Field(gt=0)]
Degrees = Annotated[float, Field(json_schema_extra={"unit": "degrees"})]
Minutes = Annotated[float, Field(json_schema_extra={"unit": "minutes"})]
EXPERT: dict[str, JsonValue] = {"level": "expert"}
"""`Field(..., json_schema_extra=EXPERT)` folds a setting away from the usual ones."""
POSITIONAL: dict[str, JsonValue] = {"positional": True}
"""`Field(..., json_schema_extra=POSITIONAL)` lets values stand without a flag."""
OUTPUT_FILE: dict[str, JsonValue] = {"output": "file"}
"""`output: Path = Field(json_schema_extra=OUTPUT_FILE)` is one file, not the folder of a run."""
OUTPUT_SHARED: dict[str, JsonValue] = {"output": "shared"}
"""`output: Path = Field(json_schema_extra=OUTPUT_SHARED)` is a folder that several processes work
in at a time, on one or several machines; each has the folder of its run below it."""


class DeviceConfig(Config):
    """Settings of jobs that may compute on a GPU."""

    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """Where to compute: auto, cpu, cuda, cuda:N or mps. Auto takes a GPU when there is one."""

    threads: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """CPU threads; 0 takes as many as there are cores."""


class TimeLimitConfig(Config):
    """Settings of jobs that may be stopped and go on."""

    time_limit: Annotated[Minutes, Field(gt=0)] | None = Field(
        default=None, json_schema_extra=EXPERT | {"unit": "minutes"}
    )
    """Stop cleanly after this long and keep what is done; started again with `--resume` where the
    job has it, it goes on."""


class ComputeConfig(DeviceConfig, TimeLimitConfig):
    """Settings shared by all jobs that train or predict."""

    seed: int = Field(default=0, ge=0, json_schema_extra=EXPERT)
    """One number that fixes everything drawn at random; the same seed gives the same result."""

    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", json_schema_extra=EXPERT
    )
    """Numbers the network computes with. Auto takes bfloat16 where the device is faster with it."""
