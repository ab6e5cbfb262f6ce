"""YAML that stays as short as it looks: without aliases, and nested no deeper than settings are."""

import yaml

DEEPEST = 20
_BEGIN = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_END = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)


def check_short(content: str | bytes) -> None:
    """See that a YAML costs little to read; whether it is one at all, who reads it says.

    Raises:
        ValueError: If an alias would make it an endless one, or it is nested too deeply: the time
            to read it grows with the square of the depth.
    """
    depth = 0
    try:
        for token in yaml.scan(content):
            if isinstance(token, yaml.AliasToken | yaml.AnchorToken):
                raise ValueError("anchors and aliases are not taken; write the values out")
            depth += isinstance(token, _BEGIN) - isinstance(token, _END)
            if depth > DEEPEST:
                raise ValueError(f"nested deeper than {DEEPEST} levels; write it flatter")
    except (yaml.YAMLError, RecursionError):
        return
