"""The OpenAPI document, with what every operation may answer besides success."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_SAID: Mapping[str, str] = {
    "400": "The request cannot be read.",
    "401": "No access: the token is missing or of an earlier start.",
    "403": "From a foreign page, outside the folders the workbench may show, or it is for looking "
    "only.",
    "404": "There is no such job, file or address.",
    "405": "The address takes other methods.",
    "413": "The request is too large.",
    "421": "Asked under an unknown host name.",
    "422": "Something in the request has to be mended; the line says what.",
    "503": "Too much is asked at once; ask again.",
}
_ERROR: Mapping[str, Any] = {
    "title": "Error",
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {"type": "string", "description": "What was found, expected, and can be done."},
        "problems": {
            "type": "array",
            "description": "Every mistake of a form at its field.",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_JSON = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
_TEXT = {kind: {"schema": {"type": "string"}} for kind in ("text/html", "text/plain")}
_DESCRIPTION = "The token of the link that icelens serve prints"


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the server, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        for path, operations in made["paths"].items():
            for operation in operations.values():
                operation["responses"] |= _refusals(path)
        parts = made.setdefault("components", {})
        schemas = parts.setdefault("schemas", {})
        for name in ("HTTPValidationError", "ValidationError"):  # the framework's, never sent
            schemas.pop(name, None)
        schemas["Error"] = dict(_ERROR)
        parts["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "description": f"{_DESCRIPTION}."}
        }
        made["security"] = [{"token": []}]
        app.openapi_schema = made
    return app.openapi_schema


def _refusals(path: str) -> dict[str, Any]:
    """What an operation answers when it refuses: JSON below `/api/`, a page or a line elsewhere."""
    content = _JSON if path.startswith("/api/") else _TEXT
    return {code: {"description": said, "content": content} for code, said in _SAID.items()}
