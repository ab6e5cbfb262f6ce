"""Short help: what the pages are for, keys, and the programming interface."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from icelens.apps.web.pages import page
from icelens.jobs.registry import tasks

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Operation:
    """One question that programs may ask."""

    method: str
    path: str
    summary: str
    parameters: tuple[tuple[str, str, str], ...]
    """Name, kind and meaning."""
    body: str


@router.get("/help")
def help_page(request: Request) -> HTMLResponse:
    """What the pages do, and keys."""
    return page(request, "help.html", tasks=tasks())


@router.get("/help/api")
def api_page(request: Request) -> HTMLResponse:
    """The programming interface, as `/api/openapi.json` has it."""
    document = request.app.openapi()
    return page(request, "help_api.html", groups=operations(document))


def operations(document: Mapping[str, Any]) -> dict[str, list[Operation]]:
    """All operations of an OpenAPI document by their tag."""
    groups: dict[str, list[Operation]] = {}
    for path, methods in document.get("paths", {}).items():
        for method, said in methods.items():
            tag = (said.get("tags") or ["other"])[0]
            summary = said.get("description") or said.get("summary") or ""
            parameters = tuple(_parameter(each) for each in said.get("parameters", ()))
            operation = Operation(method.upper(), path, summary, parameters, _body(said))
            groups.setdefault(tag, []).append(operation)
    return dict(sorted(groups.items()))


def _parameter(said: Mapping[str, Any]) -> tuple[str, str, str]:
    return said["name"], _kind(said.get("schema", {})), said.get("description", "")


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"{_kind(schema.get('items', {}))}, repeated"
    return str(schema.get("type", schema.get("$ref", "any")).rpartition("/")[2])


def _body(said: Mapping[str, Any]) -> str:
    content = said.get("requestBody", {}).get("content", {})
    return ", ".join(_kind(each.get("schema", {})) for each in content.values())
