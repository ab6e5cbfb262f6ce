"""What a setting may be, in a few words, from the JSON schema of its job."""

from collections.abc import Mapping
from typing import Any

Node = Mapping[str, Any]
_LIMITS = (
    ("minimum", "{} or more"),
    ("exclusiveMinimum", "above {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "below {}"),
    ("multipleOf", "a multiple of {}"),
)


def node_at(schema: Node, path: tuple[str, ...]) -> Node:
    """The part of a job's schema that describes a setting; empty if there is none."""
    node: Node = schema
    for name in path:
        node = _resolved(schema, node).get("properties", {}).get(name, {})
    return _resolved(schema, node)


def bounds_text(node: Node) -> str:
    """Limits of a setting such as `from 0 to 1`; empty if it has none."""
    if "anyOf" in node:
        found = [bounds_text(each) for each in node["anyOf"]]
        return next((text for text in found if text), "")
    if node.get("type") == "array":
        return _of_list(node)
    low, high = node.get("minimum"), node.get("maximum")
    if low is not None and high is not None and "multipleOf" not in node:
        return f"from {low:g} to {high:g}"
    return ", ".join(text.format(f"{node[key]:g}") for key, text in _LIMITS if key in node)


def _of_list(node: Node) -> str:
    items = node.get("prefixItems")
    if not items:
        each = bounds_text(node.get("items", {}))
        return f"each {each}" if each else ""
    found = {bounds_text(item) for item in items}
    each = f", each {found.pop()}" if len(found) == 1 and "" not in found else ""
    return f"{len(items)} values{each}"


def _resolved(schema: Node, node: Node) -> Node:
    """Follow a reference to a section, also where a default stands beside it."""
    reference = node.get("$ref") or next(
        (part["$ref"] for part in node.get("allOf", ()) if "$ref" in part), None
    )
    if not isinstance(reference, str):
        return node
    section: Node = schema.get("$defs", {}).get(reference.rpartition("/")[2], {})
    return section
