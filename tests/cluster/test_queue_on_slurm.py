"""Jobs of the queue that run on a real SLURM: waited for, cancelled, killed, resumed, in tasks."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from cluster_project import CHECKPOINTED, wait_for

from icelens.jobs.project import changes, cluster_runs, dispatcher
from icelens.jobs.project.attempt import cancel_path, launch_path
from icelens.jobs.project.cluster.folders import add_lane
from icelens.jobs.project.dispatcher import Dispatcher
from icelens.jobs.project.entry import Entry, State
from icelens.jobs.project.project import Project, create_project
from icelens.jobs.project.queue import Queue

pytestmark = pytest.mark.cluster
SMALL = {"cpus": 1, "gpus": 0, "memory": "100M", "time": "00:30:00"}


def prepare(project: Project, entry: Entry, attempt: int, environment: Mapping[str, str]) -> Path:
    """In place of `launch.prepare`: the project's program, with the title as its words."""
    control = project.control(entry.number)
    control.mkdir(parents=True, exist_ok=True)
    content = {
        "command": ["{python}", "program.py", *entry.title.split()],
        "tasks": [[str(task)] for task in range(1, entry.tasks + 1)],
        "working_directory": "../../..",
        "environment": dict(environment),
    }
    launch_path(control, attempt).write_text(json.dumps(content))
    cancel_path(control, attempt).unlink(missing_ok=True)
    return control


@pytest.fixture
def queue(slurm_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Queue:
    del slurm_up
    monkeypatch.setattr(dispatcher, "ASK_SECONDS", 0.2)
    monkeypatch.setattr(cluster_runs, "GONE_SECONDS", 1.0)
    monkeypatch.setattr(cluster_runs, "prepare", prepare)
    project = create_project(tmp_path / "a projéct's")
    add_lane(project.folder, "slurm", "site")
    return Queue(project)


def submitted(queue: Queue, program: str, words: str = "x", **options: object) -> int:
    (queue.project.folder / "program.py").write_text(program)
    entry = queue.submit(
        "simulate.tomograms", {}, title=words, lane="site", variables=SMALL, **options
    )  # type: ignore[arg-type]
    return entry.number


def dispatch(queue: Queue, until: Callable[[], object], what: str) -> None:
    dispatching = Dispatcher(queue.project)

    def is_so() -> object:
        dispatching.tick()
        return until()

    wait_for(is_so, what)


def ended(queue: Queue, number: int, *states: State) -> Entry:
    states = states or ("done", "failed", "stopped")
    dispatch(queue, lambda: queue.get(number).state in states, f"{number} to be {states}")
    return queue.get(number)


def text_of(queue: Queue, name: str) -> str:
    path = queue.project.folder / name
    return path.read_text() if path.exists() else ""


def test_jobs_run_one_after_the_other_and_a_failed_one_has_its_cause(queue: Queue) -> None:
    program = (
        "import sys\nopen('told.txt', 'a').write(sys.argv[1])\n"
        "if sys.argv[1] == '2': sys.exit('icelens: x.mrc: no such file')\n"
    )
    first = submitted(queue, program, "1")
    second = submitted(queue, program, "2", after=(first,))
    third = submitted(queue, program, "3", after=(second,))
    entry = ended(queue, second)
    assert queue.get(first).state == "done"
    assert (entry.state, entry.cause) == ("failed", "x.mrc: no such file")
    assert text_of(queue, "told.txt") == "12"
    assert queue.get(third).state == "waiting"


def test_a_cancelled_job_is_stopped_and_goes_on_when_it_is_resumed(queue: Queue) -> None:
    number = submitted(queue, CHECKPOINTED)
    dispatch(queue, lambda: "3\n" in text_of(queue, "steps.txt"), "three steps")
    dispatch(queue, lambda: queue.get(number).state == "running", "running")
    queue.cancel(number)
    assert ended(queue, number).state == "stopped"
    (queue.project.folder / "hurry.txt").write_text("")
    queue.resume(number)
    assert ended(queue, number, "done", "failed").state == "done"
    assert text_of(queue, "steps.txt").split() == [str(step) for step in range(1, 31)]


def test_a_job_that_waits_at_the_cluster_can_be_cancelled(queue: Queue) -> None:
    (queue.project.folder / "program.py").write_text("")
    large = {**SMALL, "cpus": 4, "nodes": 2}
    blocker = subprocess.run(
        ["sbatch", "--parsable", "--nodes=2", "--cpus-per-task=4", "--wrap=sleep 300",
         "--output=/dev/null"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    try:
        entry = queue.submit("simulate.tomograms", {}, title="x", lane="site", variables=large)
        dispatch(queue, lambda: "(" in queue.get(entry.number).cause, "a reason to wait")
        assert queue.get(entry.number).state == "queued"
        queue.cancel(entry.number)
        assert ended(queue, entry.number).state == "stopped"
    finally:
        subprocess.run(["scancel", blocker], check=True)


def test_a_job_killed_at_the_cluster_says_so_and_is_resumed(queue: Queue) -> None:
    number = submitted(queue, CHECKPOINTED, "deaf")
    dispatch(queue, lambda: "4\n" in text_of(queue, "steps.txt"), "four steps")
    wait_for(lambda: queue.get(number).external_id, "an id")
    subprocess.run(["scancel", queue.get(number).external_id], check=True)
    entry = ended(queue, number)
    assert entry.state != "done"
    assert entry.cause
    assert "esume" in entry.remedy
    (queue.project.folder / "hurry.txt").write_text("")
    queue.resume(number)
    assert ended(queue, number, "done").attempt == 2
    assert text_of(queue, "steps.txt").split() == [str(step) for step in range(1, 31)]


def test_resuming_an_array_repeats_only_the_tasks_that_failed(queue: Queue) -> None:
    program = (
        "import pathlib, sys\ntask = sys.argv[2]\nopen('told.txt', 'a').write(task)\n"
        "sys.exit(task == '2' and not pathlib.Path('mended.txt').exists())\n"
    )
    number = submitted(queue, program, tasks=3)
    entry = ended(queue, number)
    assert entry.state == "failed"
    assert entry.cause.startswith("1 of 3 tasks did not end well")
    assert sorted(text_of(queue, "told.txt")) == ["1", "2", "3"]
    (queue.project.folder / "mended.txt").write_text("")
    queue.resume(number)
    assert ended(queue, number, "done", "stopped").state == "done"
    assert sorted(text_of(queue, "told.txt")) == ["1", "2", "2", "3"]


def test_a_job_whose_id_was_not_noted_is_found_and_not_run_twice(queue: Queue) -> None:
    program = (
        "import pathlib, time\nopen('told.txt', 'a').write('ran')\n"
        "while not pathlib.Path('go.txt').exists(): time.sleep(0.1)\n"
    )
    number = submitted(queue, program)
    dispatch(queue, lambda: queue.get(number).external_id, "an id")
    external_id = queue.get(number).external_id
    with queue.project.connection(is_write=True) as connection:  # as if killed before the note
        changes.update(connection, number, {"external_id": "", "cause": ""})
    dispatch(queue, lambda: queue.get(number).external_id, "the id to be found")
    assert queue.get(number).external_id == external_id
    (queue.project.folder / "go.txt").write_text("")
    assert ended(queue, number).state == "done"
    assert text_of(queue, "told.txt") == "ran"


def test_a_scheduler_that_is_down_for_a_while_loses_no_job(
    queue: Queue, slurm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = (slurm / "slurm.conf").read_text().replace("SlurmctldPort=", "SlurmctldPort=1 #")
    (tmp_path / "slurm.conf").write_text(away + "MessageTimeout=2\n")
    with monkeypatch.context() as down:
        down.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))
        number = submitted(queue, "open('told.txt', 'a').write('ran')\n")
        dispatch(queue, lambda: "cannot be asked" in queue.get(number).cause, "a cause")
        assert queue.get(number).state == "queued"
    assert ended(queue, number).state == "done"
    assert text_of(queue, "told.txt") == "ran"


def test_a_refused_job_is_failed_with_the_words_of_slurm(queue: Queue) -> None:
    entry = queue.submit(
        "simulate.tomograms", {}, title="x", lane="site", variables={"partition": "nix"}
    )
    (queue.project.folder / "program.py").write_text("")
    found = ended(queue, entry.number)
    assert found.state == "failed"
    assert "invalid partition specified: nix" in found.cause
