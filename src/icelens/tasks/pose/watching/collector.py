"""Sum up the accounts of all processes: live half maps, their resolution, and all particles."""

import json
import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from icelens.core.data.particle_file import ParticleFile
from icelens.core.errors import IcelensError, RunLockedError
from icelens.core.events import Event, Message, Metrics, OnEvent, Saved, ignore
from icelens.core.fourier.insertion import SliceSums
from icelens.core.fourier.wiener import HalfMaps
from icelens.core.io.equal_groups import group_names, with_equal_groups_merged
from icelens.core.io.image_columns import blocks_of_images
from icelens.core.io.joined_particles import join_particle_files
from icelens.core.io.locks import exclusive_lock
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.jobs.journal import METRICS_NAME
from icelens.jobs.record import write_json
from icelens.tasks.pose.infer_columns import CONFIDENCE, ZSCORE
from icelens.tasks.pose.maps import write_maps
from icelens.tasks.pose.sums_file import read_sums
from icelens.tasks.pose.watching.account import Account, read_accounts
from icelens.tasks.pose.watching.agreement import MapGrid, known_grid
from icelens.tasks.pose.watching.layout import Layout, publish

RESULT_NAME = "particles.star"
UNSURE = -2.0
"""Directional z-score below which an answer is called unsure."""
_NOTE_NAME = "collected.json"
_MOST_OF_THE_TIME = 0.1
_OTHERS_TURN = 3
"""Intervals after which another process collects if the one that did last does not."""
_LAST_WAIT = 600.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Collected:
    """What is known of all files that count.

    Attributes:
        accounts: Of all processes.
        maps: None if a half set has no image yet, or no map is wanted.
        grid: Of the maps.
        probability: `(image,)` of the network's best pose.
        zscore: `(image,)`; empty if the model knows none.
        metrics: Numbers of this moment.
    """

    accounts: Mapping[str, Account]
    maps: HalfMaps | None
    grid: MapGrid
    probability: Floats
    zscore: Floats
    metrics: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class _ClosedSums:
    """Sums of a half set over accounts that will never change."""

    versions: frozenset[tuple[str, int]] = frozenset()
    sums: SliceSums | None = None

    def with_new(self, accounts: Mapping[str, Account], half: int) -> "_ClosedSums":
        """With those that were closed since; all anew if another process goes on with one."""
        closed = {(name, each.version) for name, each in accounts.items() if each.is_closed}
        known = self if self.versions <= closed else _ClosedSums()
        sums = known.sums
        for name, _ in sorted(closed - known.versions):
            sums = _added(sums, accounts[name], half)
        return _ClosedSums(frozenset(closed), sums)


class Collector:
    """Whichever process has the lock sums up; it stays the same one as long as it does."""

    def __init__(
        self,
        live: Path,
        worker: str,
        *,
        symmetry: str,
        interval: float,
        has_zscores: bool,
        on_event: OnEvent,
    ) -> None:
        """Nothing is read yet.

        Args:
            live: The shared output.
            worker: Name of this process.
            symmetry: Of the particle.
            interval: Least time between two sums, in s.
            has_zscores: Whether the model knows how sure it usually is.
            on_event: Hears of results.
        """
        self._layout = Layout(live)
        self._worker = worker
        self._symmetry = symmetry
        self._interval = interval
        self._has_zscores = has_zscores
        self._on_event = on_event
        self._next = time.monotonic()
        self._closed: dict[int, _ClosedSums] = {1: _ClosedSums(), 2: _ClosedSums()}
        self._files: dict[str, ParticleFile] = {}

    def collect(self, *, now: float = 0.0, is_last: bool = False) -> Collected | None:
        """Sum up if it is time, something is new, and nobody else is at it.

        Args:
            now: Time of the file server (`OwnAccount.now`).
            is_last: Wait for another process that is at it; what this one added has to be in.
        """
        if not is_last and time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + self._interval
        if not is_last and self._is_anothers(now):
            return None
        with ExitStack() as stack:
            wait, hear = (_LAST_WAIT, self._on_event) if is_last else (0.0, ignore)
            path = self._layout.live / _NOTE_NAME
            try:
                stack.enter_context(exclusive_lock(path, wait_seconds=wait, on_event=hear))
                return self._collect()
            except RunLockedError:
                return None
            except IcelensError as error:
                # the poses go on; the next sum may succeed
                self._on_event(Message(f"the live map could not be made: {error}", "warning"))
                return None

    def _is_anothers(self, now: float) -> bool:
        """Whether the process that summed up last will probably do so again."""
        path = self._layout.live / _NOTE_NAME
        try:
            age = now - path.stat().st_mtime
        except FileNotFoundError:
            return False
        return _note(path).get("worker") != self._worker and age < _OTHERS_TURN * self._interval

    def _collect(self) -> Collected | None:
        path = self._layout.live / _NOTE_NAME
        accounts = read_accounts(self._layout.accounts)
        versions = {
            name: account.version for name, account in accounts.items() if not account.is_empty
        }
        grid = known_grid(self._layout.live)
        if grid is None or not versions or _note(path).get("versions") == versions:
            return None
        started = time.monotonic()
        for account in accounts.values():
            publish(self._layout, account.folder, account.contents.included)
        maps = self._maps(accounts, grid)
        probability, zscore = self._particles(accounts)
        metrics = _metrics(accounts, maps, probability, zscore)
        self._tell(metrics)
        write_json(path, {"versions": versions, "worker": self._worker})
        # never more than a tenth of the time, however large the maps
        spent = time.monotonic() - started
        self._next = time.monotonic() + max(self._interval, spent / _MOST_OF_THE_TIME)
        return Collected(accounts, maps, grid, probability, zscore, metrics)

    def _maps(self, accounts: Mapping[str, Account], grid: MapGrid) -> HalfMaps | None:
        sums = {half: self._sum(accounts, half) for half in (1, 2)}
        if sums[1] is None or sums[2] is None:
            return None
        live = self._layout.live
        return write_maps(live, sums, self._symmetry, grid.pixel_size, _saved_only(self._on_event))

    def _sum(self, accounts: Mapping[str, Account], half: int) -> SliceSums | None:
        """Sums of a half set; those of closed accounts, which never change, are kept."""
        closed = self._closed[half] = self._closed[half].with_new(accounts, half)
        total = None if closed.sums is None else SliceSums.like(closed.sums)
        if total is not None and closed.sums is not None:
            total.add(closed.sums)
        for account in accounts.values():
            if not account.is_closed:
                total = _added(total, account, half)
        return total

    def _particles(self, accounts: Mapping[str, Account]) -> tuple[Floats, Floats]:
        """Write the particles of all files, in the order of the files' names."""
        keys = {
            name: str(said["file"])
            for account in accounts.values()
            for name, said in account.contents.included.items()
        }
        for name in keys.keys() - self._files.keys():
            self._files[name] = read_particles(self._layout.published(name))
        files = [self._files[name] for name in sorted(keys, key=lambda name: (keys[name], name))]
        if not files:
            return np.empty(0), np.empty(0)
        path = self._layout.live / RESULT_NAME
        file = join_particle_files(files)
        names = [name for each in files for name in group_names(each)]
        file = with_equal_groups_merged(file, names)
        write_particles(path, file)
        self._on_event(Saved(path, "particle list"))
        _, table = blocks_of_images(path, file.blocks)
        values = [
            table[column].to_numpy(np.float64) if column in table else np.empty(0)
            for column in (CONFIDENCE, ZSCORE)
        ]
        return values[0], values[1] if self._has_zscores else np.empty(0)

    def _tell(self, metrics: Mapping[str, float]) -> None:
        step = int(metrics["images"])
        self._on_event(Metrics(step, metrics))
        finite = {key: value for key, value in metrics.items() if math.isfinite(value)}
        with (self._layout.live / METRICS_NAME).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"step": step, **finite}) + "\n")
        resolution = metrics.get("resolution")
        known = "" if resolution is None else f"; half maps agree to {resolution:.2f} Å (FSC 0.143)"
        self._on_event(Message(f"{int(metrics['files'])} files, {step} images{known}"))


def _added(total: SliceSums | None, account: Account, half: int) -> SliceSums | None:
    """A total with the sums of an account; the total itself is added to."""
    path = account.sums(half)
    if account.is_empty or not path.is_file():
        return total
    sums = read_sums(path)
    if total is None:
        return sums
    total.add(sums)
    return total


def _metrics(
    accounts: Mapping[str, Account], maps: HalfMaps | None, probability: Floats, zscore: Floats
) -> dict[str, float]:
    included = [
        said for account in accounts.values() for said in account.contents.included.values()
    ]
    metrics: dict[str, float] = {
        "files": len(included),
        "images": sum(int(said["images"]) for said in included),
        "used": sum(sum(said["used"].values()) for said in included),
    }
    if len(probability):
        metrics["median_probability"] = float(np.median(probability))
    if len(zscore):
        metrics["unsure_share"] = float((zscore < UNSURE).mean())
    if maps is not None:
        metrics["resolution"] = maps.resolution
    return metrics


def _note(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _saved_only(on_event: OnEvent) -> OnEvent:
    def tell(event: Event) -> None:
        if isinstance(event, Saved):
            on_event(event)

    return tell
