"""Follow a folder of particle files: find poses as they come, with a live map of all of them."""

import time
from pathlib import Path

from icelens.core.errors import StoppedEarly
from icelens.core.events import Event, Message, OnEvent, Progress, Saved
from icelens.jobs.report import REPORT_NAME
from icelens.jobs.run import Run
from icelens.tasks.pose.infer import check_references, choose_networks
from icelens.tasks.pose.model import read_models
from icelens.tasks.pose.watch_settings import WatchConfig
from icelens.tasks.pose.watching.agreement import agree_on_settings
from icelens.tasks.pose.watching.collector import RESULT_NAME, Collector
from icelens.tasks.pose.watching.incoming import Incoming
from icelens.tasks.pose.watching.page import drift_warning, write_live_page
from icelens.tasks.pose.watching.posing import Poser
from icelens.tasks.pose.watching.worker import Worker
from icelens.training.device import choose_compute, use_threads
from icelens.training.interrupts import Interrupt, listen_for_interrupts

_LARGE = 1000
"""Images of a file, or of its half set, from which on its own progress is told."""
_DOZE_SECONDS = 0.2
"""How long a wish to stop may go unheard."""


def watch(config: WatchConfig, run: Run) -> Path:
    """Write particles with poses, and their maps, until nothing new comes; return the particles.

    Raises:
        KeyboardInterrupt: If somebody asked to stop; everything is saved.
        StoppedEarly: If the time limit was reached; likewise.
    """
    with listen_for_interrupts() as interrupt:
        limit = Limit(config, interrupt)
        tell = limit.watch(_worth_telling(run.on_event))
        poser = open_poser(config, tell)
        incoming = Incoming(
            config.folder, config.pattern, settle=config.settle, without=config.output
        )
        with Worker(config, poser, run.folder.name, tell) as worker:
            view = LiveView(config, poser, worker, run, tell)
            try:
                follow(incoming, worker, view, limit, tell)
            except (KeyboardInterrupt, StoppedEarly):
                # a wish to stop is granted between two batches of images: nothing is half done
                worker.save(at_once=True)
                run.on_event(Message("the same command goes on from here"))
                raise
            worker.save(at_once=True)
            view.renew(is_last=True)
            _say_what_waits(worker, tell)
            if not incoming.num_seen:
                tell(
                    Message(
                        f"{config.folder}: no file named {config.pattern} is in it or below; is it "
                        "the right folder, and --pattern the names?",
                        "warning",
                    )
                )
    path = config.output / RESULT_NAME
    return path if path.is_file() else config.output


def open_poser(config: WatchConfig, on_event: OnEvent) -> Poser:
    """Read the model, and check what can be checked before a file is met."""
    compute = choose_compute(config.device, config.precision, config.threads)
    use_threads(compute)
    models = read_models(config.model)
    chosen = choose_networks(config, models, on_event)
    check_references(config, chosen)
    agree_on_settings(config, models)
    return Poser(config, chosen, compute)


def follow(
    incoming: Incoming, worker: Worker, view: "LiveView", limit: "Limit", on_event: OnEvent
) -> None:
    """Do files as they become complete, until the settings say that it is enough."""
    done = 0
    while True:
        limit.check()
        entries = worker.free(incoming.look())
        looked = time.monotonic()
        for number, entry in enumerate(entries):
            limit.check()
            if worker.do(entry):
                done += 1
                limit.something_new()
            on_event(Progress("files", done, done + len(entries) - number - 1, "file"))
            worker.save()
            view.renew()
            if limit.has_to_look(looked):
                break  # files of dead processes, and older ones, come first
        else:
            if limit.is_enough(incoming):
                return
            if not entries:
                limit.doze(incoming)
        worker.save()
        view.renew()


class Limit:
    """When to stop: nothing new for a while, the time limit, or somebody's wish."""

    def __init__(self, config: WatchConfig, interrupt: Interrupt) -> None:
        self._config = config
        self._interrupt = interrupt
        self._started = self._new = time.monotonic()

    def check(self) -> None:
        """Raise if it is time to stop.

        Raises:
            KeyboardInterrupt: If somebody asked for it.
            StoppedEarly: If the time limit was reached.
        """
        if self._interrupt.requested:
            raise KeyboardInterrupt
        limit = self._config.time_limit
        if limit is not None and time.monotonic() - self._started > 60.0 * limit:
            raise StoppedEarly(f"the time limit of {limit:g} minutes was reached")

    def watch(self, on_event: OnEvent) -> OnEvent:
        """A listener that checks with each event of progress."""

        def tell(event: Event) -> None:
            on_event(event)
            if isinstance(event, Progress):
                self.check()

        return tell

    def something_new(self) -> None:
        """Begin to wait anew."""
        self._new = time.monotonic()

    def has_to_look(self, looked: float) -> bool:
        """Whether the last look at the folder is too long ago."""
        return time.monotonic() - looked > self._config.look_every

    def is_enough(self, incoming: Incoming) -> bool:
        """Whether to end because there is nothing to do."""
        if self._config.once:
            return not incoming.are_settling()
        limit = self._config.stop_after
        return limit is not None and time.monotonic() - self._new > 60.0 * limit

    def doze(self, incoming: Incoming) -> None:
        """Wait until it is time for another look."""
        seconds = self._config.look_every
        if self._config.once and incoming.are_settling():
            seconds = min(seconds, self._config.settle)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, _DOZE_SECONDS))


class LiveView:
    """The maps, tables and page that everybody sees, made anew from time to time."""

    def __init__(
        self, config: WatchConfig, poser: Poser, worker: Worker, run: Run, on_event: OnEvent
    ) -> None:
        self._live = config.output
        self._worker = worker
        self._run = run
        self._on_event = on_event
        self._scores = poser.models[1][0].scores
        self._collector = Collector(
            config.output,
            run.folder.name,
            symmetry=poser.models[1][0].symmetry,
            interval=config.interval,
            has_zscores=self._scores is not None,
            on_event=run.on_event,
        )

    def renew(self, *, is_last: bool = False) -> None:
        """Make them anew if it is time and something changed."""
        collected = self._collector.collect(now=self._worker.account.now(), is_last=is_last)
        if collected is None:
            return
        warning = drift_warning(collected, self._scores)
        if warning:
            self._on_event(Message(warning, "warning"))
        self._run.report.parts[:] = write_live_page(self._live, collected, self._scores)
        self._on_event(Saved(self._live / REPORT_NAME, "report"))


def _say_what_waits(worker: Worker, on_event: OnEvent) -> None:
    if worker.num_waiting:
        on_event(
            Message(
                f"{worker.num_waiting} files still wait for their images; start the same command "
                "again when they are there",
                "warning",
            )
        )


def _worth_telling(on_event: OnEvent) -> OnEvent:
    """Files are alike: what was said of one is not said again, nor how far small ones are."""
    said: set[str] = set()

    def tell(event: Event) -> None:
        if isinstance(event, Message):
            if event.text in said:
                return
            said.add(event.text)
        if isinstance(event, Progress) and event.unit == "image" and event.total < _LARGE:
            return
        on_event(event)

    return tell
