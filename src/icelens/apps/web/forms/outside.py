"""Settings that lead out of the folders the workbench may show: paths, and texts that hold one."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from icelens.apps.web.forms.fields import holds_paths
from icelens.apps.web.roots import OutsideRootsError, Roots
from icelens.jobs.job import Job
from icelens.jobs.settings import Setting, settings_of

_ADDRESS = "://"
_LOCAL_DATABASE = re.compile(r"sqlite(\+\w+)?:///([^?#%]+)")
"""A file alone: SQLite takes addresses of files, too, which lead anywhere."""
_SERVER = re.compile(r"(postgresql|mysql|mariadb|redis)(\+\w+)?://[^/]*(/.*)?")
_HOLDS_PATH = ("storage",)
"""Text settings that name a file, or an address."""
_STARTS_NAME = ("prefix", "pattern")
"""Text settings that become part of a file's name."""


def leading_out(
    job: Job[Any, Any], settings: Mapping[str, Any], roots: Roots
) -> Iterator[tuple[Setting, OutsideRootsError]]:
    """Settings that lead outside the roots, among some that may still be wrong otherwise."""
    for setting in settings_of(job.config_type):
        value: Any = settings
        for name in setting.path:
            value = value.get(name) if isinstance(value, Mapping) else None
        items = value if isinstance(value, list) else [value]
        texts = [item for item in items if isinstance(item, str) and item]
        try:
            for text in texts:
                _check_text(setting, text, roots)
        except OutsideRootsError as error:
            yield setting, error


def _check_text(setting: Setting, text: str, roots: Roots) -> None:
    name = setting.path[-1]
    if any(holds_paths(kind) for kind in setting.alternatives):
        roots.resolve(text)
    elif name in _HOLDS_PATH:
        _check_storage(text, roots)
    elif name in _STARTS_NAME and ("/" in text or "\0" in text):
        raise OutsideRootsError(f"{text:.80}: expected the part of a name, without a slash")


def _check_storage(text: str, roots: Roots) -> None:
    """A file below a root, or a database server; nothing that only looks like one of them."""
    local = _LOCAL_DATABASE.fullmatch(text)
    if local and not local[2].lower().startswith("file:"):
        roots.resolve(local[2])
    elif _ADDRESS not in text:
        roots.resolve(text)
    elif not _SERVER.fullmatch(text):
        raise OutsideRootsError(
            f"{text:.80}: expected a file, sqlite:///FILE, or the address of a database server"
        )
