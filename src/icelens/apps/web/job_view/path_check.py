"""Refuse settings whose paths lie where the workbench may not look or write."""

import json
from collections.abc import Mapping
from typing import Any

from icelens.apps.web.forms.outside import leading_out
from icelens.apps.web.roots import Roots
from icelens.core.errors import IcelensError
from icelens.jobs.registry import find_job


class SettingsError(IcelensError):
    """Settings that are of no form a job could have."""


def check_paths(roots: Roots, job_name: str, settings: Mapping[str, Any]) -> None:
    """See that all paths among some settings of a job lie below the roots.

    Raises:
        OutsideRootsError: If one does not.
        SettingsError: If the settings are nested too deeply, or hold what is no text.
        UnknownJobError: If there is no such job.
    """
    try:
        json.dumps(settings, ensure_ascii=False).encode()
        found = next(leading_out(find_job(job_name), settings, roots), None)
    except RecursionError as error:
        raise SettingsError(
            f"{job_name}: settings are nested too deeply; send flat ones"
        ) from error
    except UnicodeEncodeError as error:
        raise SettingsError(
            f"{job_name}: settings hold half a character; send whole text"
        ) from error
    if found is not None:
        raise found[1]
