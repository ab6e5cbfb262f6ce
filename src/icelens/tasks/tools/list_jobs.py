"""Jobs of tools that turn tomogram lists from STAR to JSON and back."""

from pathlib import Path

from icelens.core.data.tomograms import TomogramList
from icelens.core.errors import InputFileError
from icelens.core.events import Saved
from icelens.core.io.tomogram_star import (
    read_tomograms,
    tomograms_from_json,
    tomograms_to_json,
    write_tomograms,
)
from icelens.jobs.config import Config
from icelens.jobs.job import job
from icelens.jobs.run import Run


class StarToJsonConfig(Config):
    """Settings of `icelens tools star-to-json`."""

    star: Path
    """List of tomograms."""

    json_file: Path | None = None
    """File to write; without it, the list's name with .json."""


@job("tools.star-to-json")
def star_to_json(config: StarToJsonConfig, run: Run) -> Path:
    """Write a tomogram list as JSON, column by column, as IsoNet2's star2json does."""
    target = _target(config.star, config.json_file, ".json")
    tomograms_to_json(read_tomograms(config.star), target)
    run.on_event(Saved(target, "table"))
    return target


class JsonToStarConfig(Config):
    """Settings of `icelens tools json-to-star`."""

    json_file: Path
    """Table as star-to-json writes it."""

    star: Path | None = None
    """List to write; without it, the table's name with .star."""


@job("tools.json-to-star")
def json_to_star(config: JsonToStarConfig, run: Run) -> Path:
    """Write a tomogram list from JSON; every row is checked."""
    target = _target(config.json_file, config.star, ".star")
    tomograms: TomogramList = tomograms_from_json(config.json_file)
    write_tomograms(target, tomograms)
    run.on_event(Saved(target, "tomogram list"))
    return target


def _target(source: Path, given: Path | None, suffix: str) -> Path:
    """The file to write, which must not be the one that is read."""
    target = source.with_suffix(suffix) if given is None else given
    if target.resolve() == source.resolve():
        raise InputFileError(f"{source}: would be written over itself; name another file")
    return target


JOBS = (star_to_json, json_to_star)
