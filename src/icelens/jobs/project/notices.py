"""Tell someone outside the browser that a job has ended: a webhook, or a command such as `mail`.

`notify.yaml` in the project, written by hand:

    webhook: https://chat.example.org/hooks/abc
    command: [mail, -s, "{name} {state}: {title}", me@example.org]
    states: [done, failed]
"""

import json
import subprocess
import threading
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from icelens.core.errors import InputFileError
from icelens.core.io.plain_file import read_plain
from icelens.jobs.project.entry import Entry, State
from icelens.jobs.project.outcome import Outcome
from icelens.jobs.project.project import Project

NOTIFY_NAME = "notify.yaml"
_SECONDS = 20
_MOST_BYTES = 100_000


class NotifyConfig(BaseModel):
    """What `notify.yaml` may say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhook: str = Field(default="", pattern=r"^(https?://\S+)?$")
    command: tuple[str, ...] = ()
    states: tuple[State, ...] = ("done", "failed")


@dataclass(frozen=True)
class Notice:
    """What is told: also what a webhook gets as JSON."""

    name: str
    title: str
    job: str
    state: str
    cause: str
    project: str

    @property
    def text(self) -> str:
        """One line."""
        cause = f": {self.cause.splitlines()[0]}" if self.cause else ""
        return f"{self.name} {self.title} ({self.project}) is {self.state}{cause}"


def read_notify(project: Project) -> NotifyConfig:
    """What the project wants told; nothing, if it has no `notify.yaml`.

    Raises:
        InputFileError: If the file says something else.
    """
    path = project.folder / NOTIFY_NAME
    if not path.exists():
        return NotifyConfig()
    try:
        return NotifyConfig.model_validate(yaml.safe_load(read_plain(path, _MOST_BYTES)) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputFileError(f"{path}: cannot be read as YAML") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputFileError(
            f"{path}: {place}: {first['msg']}; known are webhook, command and states"
        ) from error


def tell(project: Project, entry: Entry, outcome: Outcome) -> None:
    """Tell of a job that ended, in the background; no trouble here may harm the queue."""
    try:
        config = read_notify(project)
    except InputFileError:
        return
    if outcome.state not in config.states or not (config.webhook or config.command):
        return
    notice = Notice(entry.name, entry.title, entry.job, outcome.state, outcome.cause, project.name)
    threading.Thread(target=send, args=(config, notice, project.folder), daemon=True).start()


def send(config: NotifyConfig, notice: Notice, folder: Path) -> None:
    """Call the webhook and the command."""
    facts = dict(notice.__dict__)
    with suppress(OSError, ValueError):
        if config.webhook:
            body = json.dumps({"text": notice.text, **facts}).encode()
            request = urllib.request.Request(
                config.webhook, data=body, headers={"Content-Type": "application/json"}
            )
            urllib.request.urlopen(request, timeout=_SECONDS).close()
    with suppress(OSError, subprocess.SubprocessError):
        if config.command:
            subprocess.run(
                [_filled(word, facts) for word in config.command],
                input=notice.text.encode(),
                cwd=folder,
                timeout=_SECONDS,
                check=False,
                capture_output=True,
            )


def _filled(word: str, facts: Mapping[str, object]) -> str:
    for name, value in facts.items():
        word = word.replace("{" + name + "}", str(value))
    return word
