"""One process of a watch: claims files, finds their poses, and adds them to its account."""

import errno
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from icelens.core.errors import IcelensError
from icelens.core.events import Message, OnEvent
from icelens.core.fourier.insertion import SliceSums
from icelens.tasks.pose.sums_file import read_sums, write_sums
from icelens.tasks.pose.watch_settings import WatchConfig
from icelens.tasks.pose.watching.account import (
    Account,
    Contents,
    close_account,
    is_dead,
    read_accounts,
)
from icelens.tasks.pose.watching.agreement import agree_on_grid
from icelens.tasks.pose.watching.claims import NOBODY, Claims
from icelens.tasks.pose.watching.incoming import Entry, Signature
from icelens.tasks.pose.watching.layout import Layout, publish
from icelens.tasks.pose.watching.own_account import open_account
from icelens.tasks.pose.watching.posing import Posed, Poser
from icelens.tasks.pose.watching.waiting import WaitingRoom

_BEATS = 10
"""Signs of life within the time after which a process is taken to be dead."""


@dataclass
class _Unsaved:
    """What was done since the account was last written."""

    included: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    failed: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    since: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.included or self.failed)


class Worker:
    """Does one file after the other; use it in a `with` block."""

    def __init__(self, config: WatchConfig, poser: Poser, name: str, on_event: OnEvent) -> None:
        """Open an account.

        Args:
            config: The settings.
            poser: Finds poses.
            name: Under which others know this process.
            on_event: Hears what is done.
        """
        self._config = config
        self._poser = poser
        self._name = name
        self._on_event = on_event
        self._layout = Layout(config.output)
        self._claims = Claims(self._layout.claims)
        self._stack = ExitStack()
        self._own_name = ""
        self._waiting_room = WaitingRoom(config.stack_root, config.settle, on_event)
        self._retried: set[str] = set()
        self._open()

    def _open(self) -> None:
        """Begin, or go on with what a process before this one added up."""
        self._close_dead(read_accounts(self._layout.accounts), now=0.0)
        beat = self._config.lost_after / _BEATS
        account = open_account(self._layout.accounts, self._name, beat_seconds=beat)
        self.account = self._stack.enter_context(account)
        self._own_name = account.name
        self._unsaved = _Unsaved()
        self._sums: dict[int, SliceSums] = {}
        if account.begun_with.is_empty:
            return
        device = self._poser.compute.device
        for half in (1, 2):
            path = account.begun_with.sums(half)
            if path.is_file():
                self._sums[half] = read_sums(path)
                self._sums[half].values = self._sums[half].values.to(device)
        known = len(account.contents.included)
        self._on_event(Message(f"goes on with the sums over {known} files that were saved before"))

    def __enter__(self) -> Self:
        """Nothing more."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the account; what was not saved is free for others."""
        self._stack.close()

    @property
    def num_waiting(self) -> int:
        """Files whose images are not there."""
        return len(self._waiting_room)

    def free(self, entries: Iterable[Entry]) -> list[Entry]:
        """Those of the entries that nobody has finished or is busy with.

        Processes that died are found here, and what they left undone becomes free.
        """
        accounts = read_accounts(self._layout.accounts)
        if self._close_dead(accounts, self.account.now()):
            accounts = read_accounts(self._layout.accounts)
        claimed = self._claims.names()
        done = dict(self._unsaved.included)
        for account in accounts.values():
            done |= account.contents.included
        chosen = []
        for entry in entries:
            if entry.name in done:
                self._warn_if_changed(entry, done[entry.name])
                continue
            if self._waiting_room.holds(entry):
                continue
            if entry.name not in claimed or self._is_left(entry, accounts):
                chosen.append(entry)
        return chosen

    def do(self, entry: Entry) -> bool:
        """Do a file if nobody else took it in the meantime; False if there was nothing to do."""
        if not self._claim(entry):
            return False
        try:
            file = self._waiting_room.complete(entry, self.account.now())
            if file is None:
                self._claims.give_back(entry.name, self.account.name)
                return False
            grid = agree_on_grid(self._layout.live, file.particles)
            target = self._layout.unpublished(self.account.folder, entry.name)
            posed = self._poser.pose(file, entry.key, grid, target, self._on_event)
        except Exception as error:
            if _is_ours(error):
                raise
            self._fail(entry, error)
        else:
            self._add(entry, posed)
        self._waiting_room.forget(entry)
        return True

    def save(self, *, at_once: bool = False) -> int:
        """Write the account if it is time; returns how many files came to count."""
        is_due = time.monotonic() - self._unsaved.since >= self._config.save_every
        if not self._unsaved or not (at_once or is_due):
            return 0
        for half, sums in self._sums.items():
            write_sums(self.account.next_sums(half), sums)
        known, added = self.account.contents, self._unsaved
        included = {**known.included, **added.included}
        failed = {**known.failed, **added.failed}
        kept = {name: said for name, said in failed.items() if name not in included}
        if not self.account.commit(Contents(included, kept)):
            self._on_event(
                Message(
                    f"other processes took this one to be dead; {len(added.included)} files that "
                    "were not saved are left to them",
                    "warning",
                )
            )
            self._own_name = ""
            self._stack.close()
            self._open()
            return 0
        self._unsaved = _Unsaved()
        publish(self._layout, self.account.folder, included)
        return len(added.included)

    def _close_dead(self, accounts: Mapping[str, Account], now: float) -> int:
        """Close accounts of processes that ended, and count them; `now` 0: only of this machine."""
        num_closed = 0
        for account in accounts.values():
            if account.is_closed or account.folder.name == self._own_name:
                continue
            if is_dead(account, now, self._config.lost_after) and close_account(account):
                num_closed += 1
                saved = len(account.contents.included)
                self._on_event(
                    Message(
                        f"process {account.folder.name} ended without a word; its {saved} saved "
                        "files count, others are done again"
                    )
                )
        return num_closed

    def _warn_if_changed(self, entry: Entry, said: Mapping[str, Any]) -> None:
        if _signature(said) != entry.signature:
            self._on_event(
                Message(
                    f"{entry.key}: has changed since its images were added; they stay as they "
                    "were, write new ones to a new file",
                    "warning",
                )
            )

    def _is_left(self, entry: Entry, accounts: Mapping[str, Account]) -> bool:
        """Whether a claimed file is free again."""
        owner = self._claims.owner(entry.name)
        if owner is None or owner == NOBODY:
            return owner == NOBODY
        account = accounts.get(owner)
        if account is None:
            # removed by hand: with it went the sums
            return not (self._layout.accounts / owner).exists()
        is_own = owner == self.account.name
        if not (is_own or account.is_closed):
            return False
        failed = {**account.contents.failed, **(self._unsaved.failed if is_own else {})}
        if entry.name not in failed:
            return True
        is_changed = _signature(failed[entry.name]) != entry.signature
        return is_changed or (self._config.retry_failed and entry.name not in self._retried)

    def _claim(self, entry: Entry) -> bool:
        worker = self.account.name
        owner = self._claims.owner(entry.name)
        if owner is None:
            return self._claims.take(entry.name, worker)
        if owner == worker:
            return True
        return self._may_take_from(owner, entry) and self._claims.take_over(
            entry.name, owner, worker
        )

    def _may_take_from(self, owner: str, entry: Entry) -> bool:
        """Look again: what was read when the entries were chosen may be old."""
        if owner == NOBODY:
            return True
        accounts = read_accounts(self._layout.accounts)
        if any(entry.name in account.contents.included for account in accounts.values()):
            return False
        return self._is_left(entry, accounts)

    def _add(self, entry: Entry, posed: Posed) -> None:
        for half, sums in posed.sums.items():
            if half in self._sums:
                self._sums[half].add(sums)
            else:
                self._sums[half] = sums
        self._note(self._unsaved.included, entry, images=posed.num_images, used=posed.num_used)

    def _fail(self, entry: Entry, error: Exception) -> None:
        is_known = isinstance(error, IcelensError)
        reason = " ".join((str(error) if is_known else f"{type(error).__name__}: {error}").split())
        self._on_event(Message(f"{entry.key}: left out: {reason}", "warning"))
        self._note(self._unsaved.failed, entry, reason=reason)
        self._retried.add(entry.name)

    def _note(self, into: dict[str, Mapping[str, Any]], entry: Entry, **said: object) -> None:
        if not self._unsaved:
            self._unsaved.since = time.monotonic()
        into[entry.name] = {"file": entry.key, "signature": list(entry.signature), **said}


def _signature(said: Mapping[str, Any]) -> Signature:
    size, changed = said["signature"]
    return int(size), int(changed)


def _is_ours(error: Exception) -> bool:
    """Whether it is this machine that cannot go on, whatever the file."""
    is_full = isinstance(error, OSError) and error.errno == errno.ENOSPC
    return is_full or isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
