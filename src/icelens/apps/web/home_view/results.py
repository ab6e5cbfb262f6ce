"""What the latest jobs made, as pictures, and as files that viewers open."""

from dataclasses import dataclass

from icelens.apps.web.job_files import seen_folder
from icelens.apps.web.job_view.openers import View, picture_url
from icelens.apps.web.job_view.outputs import Output, outputs_of
from icelens.apps.web.job_view.pictures import card_picture, pictures_in
from icelens.apps.web.job_view.record_file import read_record_file
from icelens.apps.web.workbench import Workbench
from icelens.jobs.project.entry import Entry, State

_WITH_FILES: tuple[State, ...] = ("done", "running", "stopped")
_JOBS_FOR_PICTURES = 24
_JOBS_FOR_FILES = 80
_MOST_PICTURES = 8
_MOST_FILES = 40
_MOST_OF_ONE = 8
_PLACES = (
    ("slices", "Volumes"),
    ("picks", "Picks"),
    ("surface", "Maps"),
    ("particles", "Particles"),
    ("latents", "Latent spaces"),
    ("curves", "Curves"),
)


@dataclass(frozen=True)
class Result:
    """A picture of a job's result."""

    entry: Entry
    url: str
    title: str


@dataclass(frozen=True)
class Viewable:
    """A file that a viewer opens."""

    entry: Entry
    output: Output
    view: View


def latest_results(bench: Workbench) -> list[Result]:
    """The latest picture of each of the jobs done lately."""
    found = []
    for entry in bench.queue.entries(states=("done",), limit=_JOBS_FOR_PICTURES, sort="ended"):
        picture = card_picture(pictures_in(seen_folder(bench.roots, entry)))
        if picture is not None:
            url = picture_url(bench.roots.shown(picture.path), picture.modified)
            found.append(Result(entry, url, picture.title))
        if len(found) == _MOST_PICTURES:
            break
    return found


def viewable_files(bench: Workbench) -> list[tuple[str, str, list[Viewable]]]:
    """Files of the latest jobs by the viewer that opens them: its word, title and files."""
    groups: dict[str, list[Viewable]] = {place: [] for place, _ in _PLACES}
    for entry in bench.queue.entries(states=_WITH_FILES, limit=_JOBS_FOR_FILES):
        counts: dict[str, int] = {}
        for output in outputs_of(bench.roots, entry, read_record_file(bench.roots, entry)):
            for view in output.views:
                counts[view.place] = counts.get(view.place, 0) + 1
                if view.place in groups and counts[view.place] <= _MOST_OF_ONE:
                    groups[view.place].append(Viewable(entry, output, view))
    return [(place, title, groups[place][:_MOST_FILES]) for place, title in _PLACES]
