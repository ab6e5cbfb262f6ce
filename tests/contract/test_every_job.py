"""Every job keeps the family's promises; a job added later is tested by being listed."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from toy_job import toy

from icelens.apps import arguments, cli
from icelens.jobs import provenance, registry
from icelens.jobs.config import Config
from icelens.jobs.job import Job
from icelens.jobs.settings import Setting, command_line, settings_of
from icelens.jobs.validation import as_yaml, make_config, parse_words, schema

JOBS = (*registry.all_jobs(), toy)
every_job = pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
MOST_USUAL = 16
"""More than this and a newcomer cannot see which settings matter."""


def example(job: Job[Any, Any], folder: Path) -> Config:
    """Valid settings: every required one filled by its type, everything written below `folder`."""
    values: dict[str, Any] = {}
    for setting in settings_of(job.config_type):
        if setting.level == "required":
            values[setting.key] = parse_words(setting, [_word(setting, folder)])
    if "output" in job.config_type.model_fields:
        values["output"] = folder / "output"
    return make_config(job.config_type, values)


def _word(setting: Setting, folder: Path) -> str:
    """Something that the type of a required setting allows."""
    if _holds_paths(setting):
        return str(folder / "input.star")
    for kind in setting.alternatives:
        parts = get_args(kind)
        if get_origin(kind) is Literal:
            return str(parts[0])
        if get_origin(kind) is tuple and Ellipsis not in parts:
            return ",".join(["16"] * len(parts))
    return "16"  # a number that boxes may have, too


def _holds_paths(setting: Setting) -> bool:
    return any(Path in (kind, *get_args(kind)) for kind in setting.alternatives)


@every_job
def test_every_setting_has_help(job: Job[Any, Any]) -> None:
    for setting in settings_of(job.config_type):
        assert setting.help.endswith("."), f"{job.name} {setting.flag}: help is a sentence"


@every_job
def test_usual_settings_are_few(job: Job[Any, Any]) -> None:
    usual = [s.key for s in settings_of(job.config_type) if s.level == "usual"]
    assert len(usual) <= MOST_USUAL, f"fold some of {usual} away with EXPERT"


@every_job
def test_settings_survive_json_and_yaml(job: Job[Any, Any], tmp_path: Path) -> None:
    config = example(job, tmp_path)
    assert job.config_type.model_validate_json(config.model_dump_json()) == config
    file = tmp_path / "settings.yaml"
    file.write_text(as_yaml(job, config))
    assert arguments.parse(job, ["--config", str(file)]).config == config


@every_job
def test_recorded_command_repeats_the_run(job: Job[Any, Any], tmp_path: Path) -> None:
    config = example(job, tmp_path)
    words = shlex.split(command_line(job, config))
    assert words[:3] == ["icelens", job.task, job.command]
    assert arguments.parse(job, words[3:]).config == config


@every_job
def test_dry_run_writes_nothing(job: Job[Any, Any], tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(as_yaml(job, example(job, tmp_path)))
    before = sorted(tmp_path.rglob("*"))
    # The input does not exist: an estimate may say so (2) but must not fail otherwise.
    assert cli.main([job.task, job.command, "--config", str(file), "--dry-run"]) in (0, 2)
    assert sorted(tmp_path.rglob("*")) == before


@every_job
def test_help_names_every_flag(job: Job[Any, Any]) -> None:
    text = arguments.parser_of(job).format_help()
    for setting in settings_of(job.config_type):
        assert (setting.path[-1].upper() if setting.is_positional else setting.flag) in text


@every_job
def test_schema_is_json(job: Job[Any, Any]) -> None:
    described = json.loads(json.dumps(schema(job)))
    assert described["title"] == job.name
    assert set(described["properties"]) == set(job.config_type.model_fields)


@every_job
def test_citations_exist(job: Job[Any, Any]) -> None:
    for key in job.cites:
        entry = provenance.citation(key)
        assert entry, f"{key} is not in citations.bib"
        assert entry.count("{") == entry.count("}"), f"{key} has no end in citations.bib"


def test_declaring_all_jobs_needs_no_torch() -> None:
    code = (
        "import sys; from icelens.jobs.registry import all_jobs; all_jobs(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
