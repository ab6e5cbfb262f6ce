"""What the pages say holds: commands parse and run, links lead somewhere, no job is forgotten."""

import re
import shlex
import signal
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import readme_tree
import tifffile
from torch.distributed.run import parse_args

from icelens.apps import arguments, cli
from icelens.apps.jobs import command
from icelens.apps.web import serve
from icelens.jobs import registry
from icelens.jobs import run as run_module
from icelens.jobs.settings import settings_of
from icelens.jobs.tracking import TRACKERS
from icelens.tasks.restore import network
from icelens.training.networks.unet_3d import UNet3D

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
JOBS = {(job.task, job.command): job for job in registry.all_jobs()}
POSE_TOOLS = {
    "reconstruct", "postprocess", "compare-poses", "select-particles", "split-particles",
    "join-particles", "regroup-stacks", "consensus-poses", "consensus-picks", "histogram",
}  # fmt: skip
"""Tools that need particle images, which the pages on pose simulate."""
HETERO_TOOLS = {
    "movie", "clean", "export-cryodrgn", "import-cryodrgn", "downsample", "process-images",
    "new-star", "montage", "mask", "edit-map", "flip-hand",
}  # fmt: skip
"""Tools that need what the commands of hetero leave."""
NO_JOBS = {"doctor", "demo", "schema", "jobs", "serve"}
OTHER_FLAGS = {"--nproc-per-node", "--nnodes", "--rdzv-endpoint", "--logdir", "--backend-store-uri"}
"""Flags that belong to torchrun, tensorboard and mlflow."""
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands_of(page: Path) -> list[list[str]]:
    """The words after `icelens` of each command in a page's code blocks, torchrun's too."""
    found = []
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("torchrun ") and "icelens.apps.cli" in line:
                found.append(shlex.split(line.partition("icelens.apps.cli")[2], comments=True))
            elif line.startswith("icelens "):
                found.append(shlex.split(line, comments=True)[1:])
    return found


COMMANDS = [
    pytest.param(words, id=f"{name_of(page)}: {' '.join(words)[:60]}")
    for page in PAGES
    for words in commands_of(page)
    if words[0] not in NO_JOBS
]


QUEUE_COMMANDS = [
    pytest.param(words[1:], id=f"{name_of(page)}: {' '.join(words)[:60]}")
    for page in PAGES
    for words in commands_of(page)
    if words[0] == "jobs"
]


def queue_flags(word: str) -> set[str]:
    """The flags of `icelens jobs WORD`."""
    parser = arguments.Parser()
    parser.add_argument("--project")
    command.WORDS[word][1](parser)
    return {flag for action in parser._actions for flag in action.option_strings}


@pytest.mark.parametrize("words", QUEUE_COMMANDS)
def test_command_of_the_queue_is_understood(words: list[str]) -> None:
    assert words[0] in command.WORDS
    own, rest = list(words[1:]), list[str]()
    if words[0] == "submit":
        place = next(n for n in range(len(words)) if tuple(words[n : n + 2]) in JOBS)
        own, rest = list(words[1:place]), list(words[place:])
        arguments.parse(JOBS[rest[0], rest[1]], rest[2:])
    flags = {word.partition("=")[0] for word in own if word.startswith("--")}
    if words[0] != "clone":
        assert flags <= queue_flags(words[0])


def test_pages_hold_commands() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("words", COMMANDS)
def test_command_is_understood(words: list[str]) -> None:
    assert tuple(words[:2]) in JOBS, f"no job {' '.join(words[:2])}"
    arguments.parse(JOBS[words[0], words[1]], words[2:])


def test_torchrun_passes_our_flags_on() -> None:
    # torchrun matches abbreviations: it takes --star for --start-method unless told to stop
    for page in ("restore.md", "pick.md", "pose.md", "hetero.md"):
        guide = (ROOT / "docs" / "guide" / page).read_text(encoding="utf-8")
        lines = [line for line in guide.splitlines() if line.startswith("torchrun ")]
        assert lines
        for line in lines:
            given = parse_args(shlex.split(line)[1:])
            assert (given.module, given.training_script) == (True, "icelens.apps.cli")
            task, command, *flags = given.training_script_args
            arguments.parse(JOBS[task, command], flags)


def test_unknown_flag_in_a_page_would_be_found() -> None:
    with pytest.raises(arguments.UsageError, match="no such flag"):
        arguments.parse(JOBS["restore", "mask"], ["--star", "a.star", "--desnity-percentage", "5"])


def flags_of(job: object) -> set[str]:
    config_type = job.config_type  # type: ignore[attr-defined]
    return {setting.flag for setting in settings_of(config_type)} | set(arguments.RUN_FLAGS)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_mentioned_flags_and_jobs_exist(page: Path) -> None:
    known = set().union(*(flags_of(job) for job in JOBS.values()), OTHER_FLAGS, serve.FLAGS)
    known |= {flag for word in command.WORDS for flag in queue_flags(word)}
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for mention in re.findall(r"`([^`]+)`", prose):
        for flag in re.findall(r"(?<![\w-])--[a-z][\w.-]*", mention):
            said = flag if flag in known else flag.replace("--no-", "--", 1)
            assert said in known or flag == "--flag", f"`{mention}`: no {flag}"
        match = re.match(r"icelens (restore|pick|pose|hetero|tools|simulate) ([a-z0-9-]+)", mention)
        if match:
            assert match.groups() in JOBS, f"`{mention}`: no such job"


@pytest.mark.parametrize("job", JOBS.values(), ids=lambda job: job.name)
def test_every_job_has_a_line_in_the_readme(job: object) -> None:
    listed = {tuple(words[:2]) for words in commands_of(ROOT / "README.md")}
    assert (job.task, job.command) in listed  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "command", ["prepare", "deconvolve", "mask", "denoise", "refine", "predict"]
)
def test_every_flag_is_on_the_page_for_users_of_isonet2(command: str) -> None:
    text = (ROOT / "docs" / "coming-from" / "isonet2.md").read_text(encoding="utf-8")
    for setting in settings_of(JOBS["restore", command].config_type):
        assert f"{setting.flag}`" in text or f"{setting.flag} " in text, setting.flag


def flags_beyond_training(command: str) -> set[str]:
    """A job's own flags: search and cross-validation have those of training, too."""
    own = {setting.flag for setting in settings_of(JOBS["pick", command].config_type)}
    training = {setting.flag for setting in settings_of(JOBS["pick", "train"].config_type)}
    return own - training if command in {"search", "cross-validate"} else own


@pytest.mark.parametrize(
    "command",
    [
        "import", "targets", "train", "search", "cross-validate", "segment", "localize",
        "evaluate", "membrane", "import-octopi",
    ],
)  # fmt: skip
def test_every_flag_is_on_the_page_for_users_of_octopi(command: str) -> None:
    text = (ROOT / "docs" / "coming-from" / "octopi.md").read_text(encoding="utf-8")
    for flag in flags_beyond_training(command):
        assert re.search(rf"{flag}[`, ]", text), flag


@pytest.mark.parametrize("command", ["train", "abinitio", "analyze", "landscape", "volumes"])
def test_every_usual_flag_is_on_the_page_for_users_of_cryodrgn(command: str) -> None:
    text = (ROOT / "docs" / "coming-from" / "cryodrgn.md").read_text(encoding="utf-8")
    for setting in settings_of(JOBS["hetero", command].config_type):
        if setting.level != "expert":
            either = setting.flag.replace("--", "--(no-)?", 1)
            assert re.search(rf"{either}[`, ]", text), setting.flag


def page_for_users_of_cryopares() -> str:
    return (ROOT / "docs" / "coming-from" / "cryopares.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "job",
    [
        "pose train", "pose infer", "pose refine", "pose watch",
        "tools reconstruct", "tools postprocess",
    ],
)  # fmt: skip
def test_every_flag_is_on_the_page_for_users_of_cryopares(job: str) -> None:
    task, command = job.split()
    text = page_for_users_of_cryopares()
    for setting in settings_of(JOBS[task, command].config_type):
        assert re.search(rf"{setting.flag}[`, ]", text), setting.flag


@pytest.mark.parametrize("command", sorted(POSE_TOOLS))
def test_every_tool_for_particles_is_on_the_page_for_users_of_cryopares(command: str) -> None:
    assert f"`tools {command}" in page_for_users_of_cryopares()


def test_python_of_the_pages_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr(run_module, "run_job", lambda job, config: started.append(job.name))
    text = (ROOT / "docs" / "coming-from" / "octopi.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    exec(compile(block, "octopi.md", "exec"), {})
    assert started == ["pick.train", "pick.segment"]


def headings_of(page: Path) -> set[str]:
    """Anchors as code hosts make them of a page's headings."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_somewhere(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), f"{name_of(page)} links to {link}"
        if anchor:
            assert anchor in headings_of(target), f"{name_of(page)} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_functions_named_in_pages_exist(page: Path) -> None:
    for mention in re.findall(r"`([^`]+)`", BLOCK.sub("", page.read_text(encoding="utf-8"))):
        match = re.fullmatch(r"([\w/]+/\w+\.py)(?:: ([\w., ]+))?", " ".join(mention.split()))
        if match is None or match[1].startswith(("tests/", "bench/", "tasks/<")):
            continue
        file = readme_tree.SOURCE / match[1]
        assert file.exists(), f"{name_of(page)} names {mention}"
        for name in re.split(r"[., ]+", match[2] or ""):
            assert name in file.read_text(encoding="utf-8"), f"{name_of(page)} names {mention}"


def test_tree_of_the_readme_is_that_of_the_source() -> None:
    shown = readme_tree.tree_in((ROOT / "README.md").read_text(encoding="utf-8"))
    assert shown == readme_tree.tree(), "run `python tests/readme_tree.py`"


TINY_TRAINING = [
    "--steps", "2", "--crop-size", "16,32,32", "--validations", "1", "--precision", "float32",
    "--batch-size", "1",
]  # fmt: skip
TINY: dict[tuple[str, str], list[str]] = {
    ("simulate", "tomograms"): [
        "--shape", "24,40,40", "--particles", "4", "--species", "1",
        "--mass-range", "100,150", "--recording.tilt-step", "10",
    ],
    ("restore", "refine"): [
        "--box-size", "16", "--batch-size", "2", "--epochs", "2", "--subtomograms", "2",
        "--network", "unet-small", "--save-every", "1",
    ],
    ("restore", "denoise"): [
        "--box-size", "16", "--batch-size", "2", "--epochs", "1", "--subtomograms", "2",
        "--network", "unet-small",
    ],
    ("pick", "train"): TINY_TRAINING,
    ("pick", "cross-validate"): TINY_TRAINING,
    ("pick", "search"): [*TINY_TRAINING, "--keep", "crop_size,batch_size", "--trials", "1"],
    ("pick", "segment"): ["--views", "1"],
    ("pick", "localize"): ["--threshold", "0.001"],
    ("pick", "extract"): ["--box-size", "16"],
    ("simulate", "particles"): ["--count", "40", "--box-size", "32", "--pixel-size", "6"],
    ("pose", "train"): [
        "--box-size", "32", "--epochs", "1", "--simulated-epochs", "1", "--batch-size", "8",
        "--validations", "1", "--max-degree", "3", "--sphere-channels", "8",
        "--rotation-channels", "2", "--encoder-settings", "{channels: 4, num_blocks: 0}",
        "--grid-order", "2",
    ],
    ("pose", "watch"): ["--settle", "0"],
    ("tools", "postprocess"): ["--b-factor", "0"],
    ("simulate", "states"): ["--count", "80", "--box-size", "16", "--pixel-size", "12"],
    ("hetero", "linear"): ["--components", "2"],
    ("hetero", "train"): [
        "--epochs", "2", "--keep-every", "1", "--width", "16", "--components", "2",
        "--batch-size", "16",
    ],
    ("hetero", "abinitio"): [
        "--starts", "1", "--iterations", "2", "--passes", "1", "--rounds", "1",
        "--state-rounds", "0", "--batch-size", "40",
    ],
    ("hetero", "analyze"): ["--clusters", "3", "--samples-per-component", "2"],
    ("hetero", "landscape"): [
        "--volumes", "12", "--mapped", "10", "--clusters", "3", "--box-size", "16",
        "--traversals", "1", "--frames", "2",
    ],
    ("hetero", "volumes"): ["--num-particles", "40"],
    ("hetero", "evaluate"): ["--volumes", "20", "--training-sample", "20"],
    ("tools", "downsample"): ["--box-size", "12"],
    ("tools", "movie"): ["--size", "64"],
}  # fmt: skip
"""What makes a command of a page quick; a flag given last counts."""


@pytest.fixture
def newcomer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty working folder, and networks of a few weights under the names of the real ones."""
    monkeypatch.chdir(tmp_path)
    for name in ("unet-small", "unet-medium"):
        monkeypatch.setitem(network.NETWORKS, name, partial(UNet3D, (2, 4, 4, 4, 4)))
    on_sigterm = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, on_sigterm)


def run(words: list[str]) -> None:
    """Run a command of a page as the shell would, in little time."""
    extra = [] if "--resume" in words else TINY.get((words[0], words[1]), [])
    assert cli.main([*words, *extra]) == 0, f"icelens {' '.join(words)}"


def runs_here(words: list[str]) -> bool:
    """Whether a command needs neither a GPU nor a file that only its user has."""
    line = " ".join(words)
    absent = ["cuda", "network.pt", "best_model.pth", "--segmentation membrane", "--labels masks"]
    absent += [
        "cryodrgn_run",
        "run_data.star",
        "next_session.star",
        "optimisation_set.star",
        "topaz.star",
    ]
    absent += [f"--track {name}" for name in TRACKERS if find_spec(name) is None]
    return words[0] not in NO_JOBS and not any(word in line for word in absent)


@pytest.mark.usefixtures("newcomer")
def test_main_commands_of_the_readme_run_end_to_end() -> None:
    commands = [words for words in commands_of(ROOT / "README.md") if runs_here(words)]
    simulate = next(words for words in commands if words[:2] == ["simulate", "tomograms"])
    chain = ["prepare", "mask", "refine", "predict", "assess"]
    run(simulate)
    for job in chain:
        run(next(words for words in commands if words[:2] == ["restore", job]))
    for words in commands:
        if words[0] == "tools" and words[1] not in POSE_TOOLS | HETERO_TOOLS:
            run(words)
    for result in ("corrected/TS_01.mrc", "corrected/report.html", "assess/report.html"):
        assert Path(result).is_file()


@pytest.mark.usefixtures("newcomer")
def test_picking_commands_of_the_readme_run_in_their_order() -> None:
    commands = [words for words in commands_of(ROOT / "README.md") if runs_here(words)]
    run(next(words for words in commands if words[:2] == ["simulate", "tomograms"]))
    for words in commands:
        if words[0] == "pick" and words[1] not in {"cross-validate", "search"}:
            run(words)
    for result in ("particles.star", "subtomograms/particles.star", "evaluation/scores.json"):
        assert Path(result).is_file()


def is_of_pose(words: list[str]) -> bool:
    return (
        words[0] == "pose"
        or words[:2] == ["simulate", "particles"]
        or (words[0] == "tools" and words[1] in POSE_TOOLS)
    )


@pytest.mark.usefixtures("newcomer")
def test_commands_of_the_readme_for_poses_run_in_their_order() -> None:
    commands = [words for words in commands_of(ROOT / "README.md") if runs_here(words)]
    for words in commands:
        if is_of_pose(words):
            run(words)
    for result in ("poses/map.mrc", "refined_fsc.csv", "compared/poses.csv", "live/map.mrc"):
        assert Path(result).is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("newcomer")
def test_commands_of_the_readme_for_heterogeneity_run_in_their_order() -> None:
    for words in commands_of(ROOT / "README.md"):
        is_ours = words[0] == "hetero" or words[:2] == ["simulate", "states"]
        if (is_ours or (words[0] == "tools" and words[1] in HETERO_TOOLS)) and runs_here(words):
            run(words)
    for result in ("hetero/latents.csv", "path/path.csv", "kept.star", "found/map.mrc", "path.gif"):
        assert Path(result).is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("newcomer")
def test_every_command_of_the_guide_to_heterogeneity_runs_in_its_order() -> None:
    text = (ROOT / "docs" / "guide" / "hetero.md").read_text(encoding="utf-8")
    torchrun = {line.partition("icelens.apps.cli ")[2] for line in text.splitlines()}
    for words in commands_of(ROOT / "docs" / "guide" / "hetero.md"):
        if runs_here(words) and shlex.join(words) not in torchrun:
            run(words)
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    exec(compile(block, "hetero.md", "exec"), {})
    for result in ("kept.mrc", "scores/scores.csv", "found/latents.csv", "tilted_linear/mean.mrc"):
        assert Path(result).is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("newcomer")
def test_every_command_of_the_guide_to_poses_runs_in_its_order() -> None:
    page = ROOT / "docs" / "guide" / "pose.md"
    text = page.read_text(encoding="utf-8")
    torchrun = {line.partition("icelens.apps.cli ")[2] for line in text.splitlines()}
    for words in commands_of(page):
        if runs_here(words) and shlex.join(words) not in torchrun:
            run(words)
    for result in ("rounds_map.mrc", "agreed.star", "tuned/report.html", "pretrained/report.html"):
        assert Path(result).is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("newcomer")
def test_every_command_of_the_guide_to_picking_runs_in_its_order() -> None:
    text = (ROOT / "docs" / "guide" / "pick.md").read_text(encoding="utf-8")
    torchrun = {line.partition("icelens.apps.cli ")[2] for line in text.splitlines()}
    for words in commands_of(ROOT / "docs" / "guide" / "pick.md"):
        if runs_here(words) and shlex.join(words) not in torchrun:
            run(words)
    for result in ("particles.tbl", "folds/cross_validation.json", "search/best.yaml"):
        assert Path(result).is_file()


@pytest.mark.slow
@pytest.mark.usefixtures("newcomer")
def test_every_command_of_the_guide_runs_in_its_order() -> None:
    values = np.random.default_rng(0).integers(0, 255, (20, 48, 40), dtype=np.uint8)
    tifffile.imwrite("cylindra_13pf_MT.tif", values)
    text = (ROOT / "docs" / "guide" / "restore.md").read_text(encoding="utf-8")
    torchrun = {line.partition("icelens.apps.cli ")[2] for line in text.splitlines()}
    for words in commands_of(ROOT / "docs" / "guide" / "restore.md"):
        if runs_here(words) and shlex.join(words) not in torchrun:
            run(words)
    assert Path("mt/corrected/cylindra_13pf_MT.mrc").is_file()
    assert Path("refine_gpu/preview").is_dir()
