"""Workers: each file counts once, whoever is killed, asleep or broken."""

import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from particle_stars import write_star

from icelens.core.errors import InputFileError
from icelens.core.events import Message
from icelens.core.fourier.insertion import SliceSums
from icelens.core.io.particle_files import read_particles, write_particles
from icelens.tasks.pose.sums_file import read_sums
from icelens.tasks.pose.watch_settings import WatchConfig
from icelens.tasks.pose.watching import own_account
from icelens.tasks.pose.watching import worker as module
from icelens.tasks.pose.watching.account import close_account, read_accounts
from icelens.tasks.pose.watching.incoming import Incoming
from icelens.tasks.pose.watching.layout import Layout
from icelens.tasks.pose.watching.posing import Posed
from icelens.tasks.pose.watching.worker import Worker
from icelens.training.device import choose_compute

FORK = multiprocessing.get_context("fork")


class CountingPoser:
    """Sums are the number of images in every value."""

    compute = choose_compute("cpu", "float32")

    def pose(self, file, key, grid, target, on_event):
        del key, on_event
        write_particles(target, file)
        sums = {}
        for half in (1, 2):
            sums[half] = SliceSums(grid.box_size)
            sums[half].values += len(file)
        return Posed(len(file), {1: len(file), 2: len(file)}, sums)


def settings(folder: Path, **values: object) -> WatchConfig:
    known = {"folder": folder / "in", "output": folder / "live", "model": folder, "settle": 0.0}
    return WatchConfig.model_validate({**known, "save_every": 0.0, **values})


def make_files(folder: Path, count: int = 4) -> None:
    (folder / "in").mkdir(exist_ok=True)
    for number in range(count):
        write_star(folder / "in" / f"{number}.star", (2**number,))


def worker_of(config: WatchConfig, name: str = "w", poser: object = None, heard=None) -> Worker:
    listen = (lambda event: None) if heard is None else heard.append
    return Worker(config, poser or CountingPoser(), name, listen)


def entries(config: WatchConfig, worker: Worker):
    looking = Incoming(config.folder, config.pattern, settle=0.0, without=config.output)
    return worker.free(looking.look())


def work(config: WatchConfig, name: str = "w", heard=None) -> int:
    """Do all that is there."""
    done = 0
    with worker_of(config, name, heard=heard) as worker:
        for entry in entries(config, worker):
            done += worker.do(entry)
            worker.save()
        worker.save(at_once=True)
    return done


def counted(config: WatchConfig) -> Counter:
    accounts = read_accounts(Layout(config.output).accounts).values()
    return Counter(said["file"] for each in accounts for said in each.contents.included.values())


def total(config: WatchConfig, half: int = 1) -> float:
    """Number of images in the sums of all accounts."""
    accounts = read_accounts(Layout(config.output).accounts).values()
    return sum(
        float(read_sums(each.sums(half)).values[0, 0, 0, 0])
        for each in accounts
        if not each.is_empty
    )


def check_each_once(config: WatchConfig, count: int = 4) -> None:
    assert counted(config) == {f"{number}.star": 1 for number in range(count)}
    assert total(config, 1) == total(config, 2) == 2**count - 1
    published = {path.stem[0] for path in (config.output / "particles").iterdir()}
    assert published == set(map(str, range(count)))


def test_every_file_counts_once(tmp_path):
    make_files(tmp_path)
    config = settings(tmp_path)
    assert work(config) == 4
    check_each_once(config)
    assert work(config) == 0, "and is not done again"
    check_each_once(config)


def test_a_later_process_goes_on_with_the_same_account(tmp_path):
    config = settings(tmp_path)
    make_files(tmp_path, 2)
    work(config, "first")
    make_files(tmp_path, 4)
    assert work(config, "second") == 2
    check_each_once(config)
    assert len(read_accounts(Layout(config.output).accounts)) == 1


def run_in_turns(config: WatchConfig, name: str, start: "multiprocessing.Event") -> None:
    start.wait(30)
    work(config, name)


def test_processes_that_start_together_share_the_files(tmp_path):
    make_files(tmp_path, 8)
    config = settings(tmp_path)
    start = FORK.Event()
    processes = [FORK.Process(target=run_in_turns, args=(config, n, start)) for n in "abc"]
    for each in processes:
        each.start()
    start.set()
    for each in processes:
        each.join(30)
    check_each_once(config, 8)


def test_two_processes_never_do_the_same_file(tmp_path):
    make_files(tmp_path, 2)
    config = settings(tmp_path)
    with worker_of(config, "a") as first, worker_of(config, "b") as second:
        seen = entries(config, first)
        assert [entry.key for entry in seen] == [e.key for e in entries(config, second)]
        assert first.do(seen[0])
        assert not second.do(seen[0]), "the other has it"
        first.save(at_once=True)
        assert not second.do(seen[0]), "it is done"
        assert second.do(seen[1])
        second.save(at_once=True)
    check_each_once(config, 2)


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(function):
    def replaced(*words, **named):
        function(*words, **named)
        die()

    return replaced


def die_before_the_marker(function):
    def replaced(source, target):
        if target.name.startswith("open-"):
            die()
        return function(source, target)

    return replaced


def die_after_the_marker(function):
    def replaced(source, target):
        result = function(source, target)
        if target.name.startswith("open-"):
            die()
        return result

    return replaced


KILLS = {
    "account opened": (module.WaitingRoom, "complete", lambda function: die),
    "table half written": (module.Layout, "unpublished", lambda function: die),
    "file done, nothing saved": (module.Worker, "_add", die_after),
    "sums of one half written": (module, "write_sums", die_after),
    "version written, not valid": (own_account, "rename_once", die_before_the_marker),
    "version valid, tables not published": (own_account, "rename_once", die_after_the_marker),
    "published": (module, "publish", die_after),
}


def work_and_die(config: WatchConfig, place: str) -> None:
    owner, name, change = KILLS[place]
    setattr(owner, name, change(getattr(owner, name)))
    work(config, "victim")


@pytest.mark.parametrize("place", KILLS)
def test_a_process_killed_anywhere_loses_and_doubles_nothing(tmp_path, place):
    make_files(tmp_path)
    config = settings(tmp_path)
    process = FORK.Process(target=work_and_die, args=(config, place))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    heard = []
    work(config, "heir", heard)
    # tables that counted, but were not published, are the collector's; as in the job
    for account in read_accounts(Layout(config.output).accounts).values():
        module.publish(Layout(config.output), account.folder, account.contents.included)
    check_each_once(config)
    assert any("ended without a word" in event.text for event in heard)


def test_a_process_that_slept_while_it_was_given_up_adds_nothing(tmp_path, monkeypatch):
    make_files(tmp_path, 2)
    config = settings(tmp_path, save_every=1000.0)
    heard = []
    with worker_of(config, "sleeper", heard=heard) as sleeper:
        for entry in entries(config, sleeper):
            sleeper.do(entry)
        # another machine: no sign of life, and its locks are not seen
        monkeypatch.setattr("icelens.tasks.pose.watching.account.kernel", lambda: "other")
        marker = next(sleeper.account.folder.glob("open-*"))
        os.utime(marker, (0.0, 0.0))
        assert work(config, "other") == 2
        check_each_once(config, 2)
        assert sleeper.save(at_once=True) == 0
        check_each_once(config, 2)
        assert any("took this one to be dead" in event.text for event in heard)
        make_files(tmp_path, 3)
        for entry in entries(config, sleeper):
            assert sleeper.do(entry), "and it goes on"
        sleeper.save(at_once=True)
    check_each_once(config, 3)


def test_a_process_given_up_at_the_last_moment_leaves_the_files_to_others(tmp_path, monkeypatch):
    make_files(tmp_path, 2)
    config = settings(tmp_path)
    original = own_account.rename_once
    with worker_of(config, "slow") as slow:
        for entry in entries(config, slow):
            slow.do(entry)

        def given_up_first(source, target):
            if target.name.startswith("open-"):
                for account in read_accounts(Layout(config.output).accounts).values():
                    close_account(account)
            return original(source, target)

        monkeypatch.setattr(own_account, "rename_once", given_up_first)
        assert slow.save(at_once=True) == 0
        monkeypatch.setattr(own_account, "rename_once", original)
    assert counted(config) == {}
    assert work(config, "heir") == 2
    check_each_once(config, 2)


def test_what_a_living_process_has_not_saved_is_left_to_it(tmp_path):
    make_files(tmp_path, 2)
    config = settings(tmp_path, save_every=1000.0)
    with worker_of(config, "alive") as alive:
        for entry in entries(config, alive):
            alive.do(entry)
        assert work(config, "other") == 0
        assert alive.save() == 0, "not due"
        assert alive.save(at_once=True) == 2
    check_each_once(config, 2)


def test_an_account_that_was_removed_is_done_again(tmp_path):
    import shutil

    make_files(tmp_path)
    config = settings(tmp_path)
    work(config, "first")
    shutil.rmtree(config.output / "accounts" / "first")
    assert work(config, "second") == 4
    check_each_once(config)


def test_a_file_waits_for_its_stack_and_says_so_once(tmp_path):
    make_files(tmp_path, 1)
    stack = tmp_path / "in" / "0_0.mrcs"
    stack.rename(tmp_path / "later.mrcs")
    config = settings(tmp_path)
    heard = []
    with worker_of(config, heard=heard) as worker:
        for _ in range(3):
            for entry in entries(config, worker):
                assert not worker.do(entry)
        assert worker.num_waiting == 1
        assert len([event for event in heard if "waits" in event.text]) == 1
        (tmp_path / "later.mrcs").rename(stack)
        (entry,) = entries(config, worker)
        assert worker.do(entry)
        assert worker.num_waiting == 0
        worker.save(at_once=True)
    check_each_once(config, 1)


def test_a_file_that_waits_in_one_process_may_be_done_by_another(tmp_path):
    make_files(tmp_path, 1)
    stack = tmp_path / "in" / "0_0.mrcs"
    stack.rename(tmp_path / "later.mrcs")
    config = settings(tmp_path)
    with worker_of(config, "a") as first:
        (entry,) = entries(config, first)
        first.do(entry)
        (tmp_path / "later.mrcs").rename(stack)
        assert work(config, "b") == 1
        assert not first.do(entry)
    check_each_once(config, 1)


def test_a_stack_that_is_still_written_to_is_waited_for(tmp_path):
    make_files(tmp_path, 1)
    config = settings(tmp_path, settle=100.0)
    with worker_of(config) as worker:
        (entry,) = entries(config, worker)
        assert not worker.do(entry)
        past = time.time() - 1000.0
        os.utime(tmp_path / "in" / "0_0.mrcs", (past, past))
        assert worker.do(entry)


BROKEN = {
    "not a STAR": "hello\n",
    "cut off": "data_particles\n\nloop_\n_rlnImageName #1\n_rlnDefocusU #2\n000001@x.mrcs\n",
    "no images named": "data_particles\n\nloop_\n_rlnDefocusU #1\n10000.0\n",
    "binary": "\x00\x01\x02",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_noted_in_one_line_and_stops_nobody(tmp_path, kind):
    make_files(tmp_path, 2)
    (tmp_path / "in" / "bad.star").write_text(BROKEN[kind])
    config = settings(tmp_path)
    heard = []
    work(config, heard=heard)
    check_each_once(config, 2)
    (account,) = read_accounts(Layout(config.output).accounts).values()
    (said,) = account.contents.failed.values()
    assert said["file"] == "bad.star"
    assert said["reason"]
    assert "\n" not in said["reason"]
    warnings = [event for event in heard if isinstance(event, Message) and event.level == "warning"]
    assert len(warnings) == 1
    assert work(config) == 0, "it is not tried again"


def test_a_file_that_was_mended_is_tried_again(tmp_path):
    make_files(tmp_path, 2)
    path = tmp_path / "in" / "1.star"
    good = path.read_text()
    path.write_text("hello\n")
    config = settings(tmp_path)
    work(config)
    assert counted(config) == {"0.star": 1}
    path.write_text(good)
    assert work(config) == 1
    check_each_once(config, 2)
    (account,) = read_accounts(Layout(config.output).accounts).values()
    assert not account.contents.failed


def test_failed_files_are_tried_again_if_asked_for_once(tmp_path, monkeypatch):
    make_files(tmp_path, 2)
    config = settings(tmp_path)

    def broken(self, *words):
        raise InputFileError("the disk\nwas away")

    with monkeypatch.context() as patch:
        patch.setattr(CountingPoser, "pose", broken)
        work(config)
        retrying = config.model_copy(update={"retry_failed": True})
        with worker_of(retrying) as worker:
            for entry in entries(retrying, worker):
                worker.do(entry)
            assert entries(retrying, worker) == [], "not for ever"
    assert work(config) == 0
    assert work(retrying) == 2
    check_each_once(config, 2)


def test_a_machine_out_of_memory_blames_no_file(tmp_path, monkeypatch):
    make_files(tmp_path, 1)
    config = settings(tmp_path)

    def exhausted(self, *words):
        raise torch.OutOfMemoryError

    with monkeypatch.context() as patch:
        patch.setattr(CountingPoser, "pose", exhausted)
        with pytest.raises(torch.OutOfMemoryError):
            work(config)
    assert work(config) == 1
    check_each_once(config, 1)


def test_a_full_disk_leaves_what_was_saved(tmp_path, monkeypatch):
    make_files(tmp_path, 1)
    config = settings(tmp_path)
    work(config)
    make_files(tmp_path, 2)

    def full(path, sums):
        raise InputFileError(f"{path}: could not be written (disk full)")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_sums", full)
        with pytest.raises(InputFileError, match="disk full"):
            work(config)
    check_each_once(config, 1)
    assert work(config) == 1
    check_each_once(config, 2)


def test_a_file_that_changes_after_it_counted_is_told_and_left(tmp_path):
    make_files(tmp_path, 1)
    config = settings(tmp_path)
    work(config)
    path = tmp_path / "in" / "0.star"
    path.write_text(path.read_text() + "\n")
    heard = []
    assert work(config, heard=heard) == 0
    assert any("has changed since" in event.text for event in heard)


def test_links_find_their_stacks_beside_them_or_beside_what_they_lead_to(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "in").mkdir()
    write_star(tmp_path / "raw" / "a.star", (1,))
    write_star(tmp_path / "raw" / "b.star", (2,))
    for name in "ab":
        (tmp_path / "in" / f"{name}.star").symlink_to(tmp_path / "raw" / f"{name}.star")
    (tmp_path / "raw" / "b_0.mrcs").rename(tmp_path / "in" / "b_0.mrcs")
    config = settings(tmp_path)
    assert work(config) == 2
    assert total(config) == 3


def test_published_tables_find_their_images(tmp_path):
    make_files(tmp_path, 1)
    config = settings(tmp_path)
    work(config)
    (path,) = (config.output / "particles").iterdir()
    assert read_particles(path).particles.stacks[0].samefile(tmp_path / "in" / "0_0.mrcs")


def test_the_heartbeat_ends_with_the_worker(tmp_path):
    before = threading.active_count()
    with worker_of(settings(tmp_path)):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    assert np.isfinite(1.0)
