"""From settings to tomograms in memory: projects, classes, sources of truth and runs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from icelens.core.data.pickable import PickableObject, Source
from icelens.core.errors import MetadataError
from icelens.core.events import Message, OnEvent
from icelens.core.io.copick.project import Project, open_project
from icelens.tasks.pick.labelled import SAME_SAMPLING, LabelledTomogram, Truth, load_tomograms
from icelens.tasks.pick.settings import named_sources, source_of
from icelens.tasks.pick.train_settings import PickComputeConfig

_SEPARATOR = "/"
"""Between the project's name and the run's, where several projects are learnt from."""


@dataclass(frozen=True, eq=False)
class LearningData:
    """Projects and what to learn from them."""

    projects: tuple[Project, ...]
    truth: Truth
    config: PickComputeConfig

    def run_names(self) -> tuple[str, ...]:
        """Runs that hold something of the truth; `project/run` where there are several projects."""
        names = [
            self._name(project, run)
            for project in self.projects
            for run in project.run_names()
            if _has_truth(project, run, self.truth) and project.tomograms(run)
        ]
        if not names:
            raise MetadataError(
                f"{self.projects[0].path}: no run has a tomogram and {_asked(self.truth)}; look at "
                "what there is with `icelens pick browse`"
            )
        return tuple(names)

    def checked(self, names: Sequence[str]) -> tuple[str, ...]:
        """Names of runs as they were given, in full.

        Raises:
            MetadataError: If one is in no project, in several, or holds nothing of the truth.
        """
        full: list[str] = []
        for name in names:
            fitting = {
                self._name(project, run): _has_truth(project, run, self.truth)
                for project in self.projects
                for run in project.run_names()
                if name in (run, self._name(project, run))
            }
            if len(fitting) > 1:
                raise MetadataError(
                    f"run {name} is in several projects: name it {' or '.join(fitting)}"
                )
            if not fitting:
                self.projects[0].select_runs([name.rpartition(_SEPARATOR)[2]])
                raise MetadataError(f"run {name} is in no project")
            if not all(fitting.values()):
                raise MetadataError(
                    f"run {name} has no {_asked(self.truth)}; leave it out, or write what is in "
                    "it (an empty list says that nothing is)"
                )
            full += fitting
        return tuple(full)

    def load(self, names: Sequence[str], on_event: OnEvent) -> tuple[LabelledTomogram, ...]:
        """The tomograms of these runs with their truth."""
        loaded: list[LabelledTomogram] = []
        for project in self.projects:
            runs = [run for run in project.run_names() if self._name(project, run) in names]
            of_project = load_tomograms(
                project,
                runs,
                self.truth,
                pixel_size=self.config.voxel_size,
                tomogram_types=self.config.tomogram_type,
                on_event=on_event,
            )
            # runs of one name in two projects are told apart from here on
            loaded += [replace(each, name=self._name(project, each.name)) for each in of_project]
        _check_sampling(loaded)
        return tuple(loaded)

    def _name(self, project: Project, run: str) -> str:
        if len(self.projects) == 1:
            return run
        return f"{self._label(project)}{_SEPARATOR}{run}"

    def _label(self, project: Project) -> str:
        """What tells a project from the others: its file, else its folder, else its number."""
        paths = [each.path.resolve() for each in self.projects]
        number = self.projects.index(project)
        for names in ([path.stem for path in paths], [path.parent.name for path in paths]):
            if len(set(names)) == len(names):
                return names[number]
        return str(number + 1)


def open_data(config: PickComputeConfig, on_event: OnEvent) -> LearningData:
    """Open the projects and settle what is learnt.

    Raises:
        MetadataError: If the truth is not there, or several could be meant.
    """
    # one project by two names would be learnt from and judged by at once
    paths = {path.resolve(): path for path in reversed(config.project)}
    projects = tuple(open_project(path) for path in reversed(paths.values()))
    segmentations = tuple(named_sources(config.segmentations, flag="--segmentations"))
    target = None
    if config.target is not None:
        ((name, source_of_target),) = named_sources(config.target, flag="--target")
        target = (name, source_of_target)
    source = None
    if config.truth is not None:
        source = source_of(config.truth)
    elif target is None:
        source = _only_source(projects)
    objects = _classes(projects, source, config.objects, from_labels=target is not None)
    dense = tuple(
        _dense_object(projects[0], name, number)
        for number, (name, _) in enumerate(segmentations, start=1)
    )
    classes = (*(each for each in objects if each.name not in {d.name for d in dense}), *dense)
    truth = Truth(classes, source, target, segmentations)
    on_event(Message(f"Classes: {', '.join(each.name for each in classes)}; from {_asked(truth)}"))
    return LearningData(projects, truth, config)


def _only_source(projects: Sequence[Project]) -> Source:
    """The source of picks, if the projects have one alone."""
    sources = {
        key.source
        for project in projects
        for run in project.run_names()
        for key in project.picks(run)
    }
    if len(sources) == 1:
        return sources.pop()
    if not sources:
        raise MetadataError(
            f"{projects[0].path}: holds no picks to learn from; bring some in with `icelens pick "
            "import-picks`, put a table of coordinates into a plain folder, or name a target "
            "segmentation with --target NAME,USER,SESSION"
        )
    there = "; ".join(sorted(map(str, sources)))
    raise MetadataError(
        f"{projects[0].path}: holds several sources of picks ({there}); say which to learn "
        "from with --truth USER,SESSION or --target NAME,USER,SESSION"
    )


def _classes(
    projects: Sequence[Project], source: Source | None, asked: Sequence[str], *, from_labels: bool
) -> tuple[PickableObject, ...]:
    """Objects to learn, by label; each has picks, or is asked for by name."""
    first = projects[0]
    if asked:
        chosen = [first.find(name) for name in dict.fromkeys(asked)]
    elif from_labels:
        chosen = list(first.objects)
    else:
        with_picks = {
            key.name
            for project in projects
            for run in project.run_names()
            for key in project.picks(run)
            if key.source == source
        }
        for name in sorted(with_picks):
            first.find(name)
        chosen = [each for each in first.objects if each.name in with_picks]
        if not chosen:
            raise MetadataError(
                f"{first.path}: there are no picks of {source}; look at what there is with "
                "`icelens pick browse`"
            )
    for each in chosen:
        if each.is_particle and not from_labels:
            first.radius_of(each)
    return tuple(sorted(chosen, key=lambda each: each.label))


def _dense_object(project: Project, name: str, number: int) -> PickableObject:
    """The object of a continuous segmentation, made up if the project has none of that name."""
    for each in project.objects:
        if each.name == name:
            return each
    label = max((each.label for each in project.objects), default=0) + number
    return PickableObject(name, label, None, is_particle=False)


def _has_truth(project: Project, run: str, truth: Truth) -> bool:
    named = [*([truth.target] if truth.target else []), *truth.segmentations]
    segmentations = {(key.name, key.source) for key in project.segmentations(run)}
    has_picks = any(key.source == truth.source for key in project.picks(run))
    return has_picks or any(each in segmentations for each in named)


def _asked(truth: Truth) -> str:
    parts = [] if truth.source is None else [f"picks of {truth.source}"]
    if truth.target is not None:
        parts.append(f"segmentation {truth.target[0]},{truth.target[1]}")
    parts += [f"segmentation {name},{source}" for name, source in truth.segmentations]
    return " and ".join(parts)


def _check_sampling(tomograms: Sequence[LabelledTomogram]) -> None:
    for each in tomograms[1:]:
        if abs(each.pixel_size / tomograms[0].pixel_size - 1) > SAME_SAMPLING:
            raise MetadataError(
                f"run {each.name} has {each.pixel_size:g} Å/voxel but {tomograms[0].name} "
                f"{tomograms[0].pixel_size:g}; choose runs of one sampling with --voxel-size"
            )
