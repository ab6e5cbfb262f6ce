"""Config: the settings of a job, declared once for Python, command line, web form and record."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


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
Degrees = Annotated[float, Field(json_schema_extra={"unit": "degrees"})]
Minutes = Annotated[float, Field(json_schema_extra={"unit": "minutes"})]
EXPERT = {"level": "expert"}
"""`Field(..., json_schema_extra=EXPERT)` folds a setting away from the usual ones."""
