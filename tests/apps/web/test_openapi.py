"""The programming interface as its document says: every operation asked with made-up values."""

import copy
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from apps.web.inline_work import work_inline
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from web_project import fill

from icelens.apps.web.access import Access
from icelens.apps.web.app import create_app
from icelens.apps.web.workbench import Workbench, open_workbench
from icelens.jobs.project.project import Project

HOST = "127.0.0.1:8642"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SHARDS = 6
"""Tests that share the operations, to run beside each other."""
KNOWN: dict[str, list[Any]] = {
    "file": ["a.mrc", "images/particles.star", "fsc.csv", "settings.yaml", "jobs/0001", "../x"],
    "volume": ["a.mrc"],
    "picks": ["images/particles.star", "picks.json"],
    "project": ["picks.json", "."],
    "folder": [".", "images", "new", "a.mrc"],
    "run": ["run", "TS_01"],
    "source": ["", "icelens,1"],
    "names": ["pc_1,latent_2", "defocus"],
    "where": ["pc_1 > 0", "row < 5"],
    "anchor": ["3", "3@pc_1:0.5"],
    "latent": ["0,0,0"],
    "job": ["restore.refine", "hetero.train"],
    "number": [1, 2, 3, 4, 5, 6],
    "jobs": ["1,2"],
    "numbers": ["1,2,3"],
    "name": ["a.mrc", "fast"],
    "index": [0, 3],
}
"""Values that lead somewhere, offered beside made-up ones."""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ICELENS_LANES", "")
    work_inline(monkeypatch)
    made = open_workbench(tmp_path / "p")
    fill(made.project, monkeypatch)
    return made


@pytest.fixture
def access() -> Access:
    return Access(8642)


@pytest.fixture
def schema(bench: Workbench, access: Access) -> Any:
    """The document with values that lead somewhere."""
    app = create_app(bench, access, dispatches=False)
    document = schemathesis.openapi.from_asgi(
        "/api/openapi.json", app, headers=_headers(access)
    ).raw_schema
    made = schemathesis.openapi.from_dict(_seeded(document))
    made.app = app
    return made


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_operation_answers_as_the_document_says(
    schema: Any, bench: Workbench, access: Access, subtests: Any, shard: int
) -> None:
    ask_all(schema, bench, access, subtests, shard, examples=12)


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_operation_answers_as_the_document_says_asked_at_length(
    schema: Any, bench: Workbench, access: Access, subtests: Any, shard: int
) -> None:
    ask_all(schema, bench, access, subtests, shard, examples=150)


def ask_all(
    schema: Any, bench: Workbench, access: Access, subtests: Any, shard: int, examples: int
) -> None:
    project = bench.project
    for place, found in enumerate(schema.get_all_operations()):
        if place % SHARDS == shard:
            operation = found.ok()
            with subtests.test(operation.label):
                ask(operation, bench, project, access, examples)


def ask(operation: Any, bench: Workbench, project: Project, access: Access, examples: int) -> None:
    """Ask with values that fit the document, and with others."""
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        try:
            strategy = operation.as_strategy(generation_mode=mode)
        except schemathesis.errors.InvalidSchema:
            continue

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def asked(case: Any) -> None:
            bench.project, bench.others = project, ()
            answer = case.call(base_url=f"http://{HOST}", headers=_headers(access))
            case.validate_response(answer, checks=CHECKS)

        asked()


def _headers(access: Access) -> dict[str, str]:
    return {"Host": HOST, "Authorization": f"Bearer {access.token}"}


def _seeded(document: dict[str, Any]) -> dict[str, Any]:
    """The document with known values among those that parameters and bodies may have."""
    made = copy.deepcopy(document)
    for operations in made["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _with_known(parameter["name"], parameter["schema"])
    for schema in made["components"]["schemas"].values():
        for name, part in schema.get("properties", {}).items():
            if "$ref" not in part:
                schema["properties"][name] = _with_known(name, part)
    return made


def _with_known(name: str, part: dict[str, Any]) -> dict[str, Any]:
    known = [each for each in KNOWN.get(name, ()) if _is_like(each, part)]
    return {"anyOf": [{"enum": known}, part]} if known else part


def _is_like(value: Any, part: dict[str, Any]) -> bool:
    return part.get("type") == {str: "string", int: "integer"}[type(value)]
