"""Apply trained networks to tomograms: class maps for localisation, and labels for viewers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from icelens.core.data.pickable import LARGEST_LABEL
from icelens.core.data.volume import Volume
from icelens.core.errors import MetadataError
from icelens.core.events import Event, OnEvent, Progress, Saved
from icelens.core.io.copick.keys import Features, SegmentationKey, TomogramKey, check_name
from icelens.core.io.copick.project import Project, open_project
from icelens.core.volumes.likeliest import likeliest
from icelens.core.volumes.spheres import label_spheres
from icelens.jobs.run import Run
from icelens.tasks.pick.class_maps import WindowPlan, check_same_kind, class_maps
from icelens.tasks.pick.model import Model, read_model, soup
from icelens.tasks.pick.peaks_of_maps import picks_of_maps
from icelens.tasks.pick.settings import DEFAULT_THRESHOLD, named_sources
from icelens.tasks.pick.train_settings import SegmentConfig
from icelens.training.device import choose_compute, keep_freed_memory, use_threads


def segment(config: SegmentConfig, run: Run) -> list[Path]:
    """Segment the chosen runs; returns the folders of their class maps."""
    compute = choose_compute(config.device, config.precision, config.threads)
    use_threads(compute)
    keep_freed_memory(compute)
    models: list[Model] = [read_model(path) for path in config.model]
    check_same_kind(models)
    if config.soup:
        models = [soup(models)]
    too_large = [each.name for each in models[0].objects if each.label > LARGEST_LABEL]
    if config.labels and too_large:
        raise MetadataError(
            f"{models[0].path}: label of {', '.join(too_large)} is above {LARGEST_LABEL}, which a "
            "segmentation cannot hold; add --labels false, or number the objects anew and train"
        )
    project = open_project(config.project)
    ((name, source),) = named_sources(config.segmentation, flag="--segmentation")
    for text, what in ((name, "name"), (source.user_id, "user"), (source.session_id, "session")):
        check_name(text, what)
    chosen = [
        (each, _tomogram(config, project, each, models))
        for each in project.select_runs(config.runs)
    ]
    written = []
    for done, (each, key) in enumerate(chosen):
        volume = project.open_tomogram(each, key)
        where = f"{config.project}: run {each}, {key}"
        for model in models:
            model.check_voxel_size(volume.pixel_size, where)
        maps = class_maps(
            models,
            volume,
            compute,
            name=where,
            num_views=config.views,
            plan=WindowPlan(config.window, config.overlap),
            on_event=run.on_event if len(chosen) == 1 else _quiet(run.on_event),
        )
        path = project.write_features(each, key, "-".join(config.segmentation), maps)
        run.on_event(Saved(path, "class maps"))
        written.append(path)
        if config.labels:
            labels = labels_of(maps, models, volume)
            segmentation = SegmentationKey(key.pixel_size, name, source, is_multilabel=True)
            run.on_event(Saved(project.write_segmentation(each, segmentation, labels), "labels"))
        run.on_event(Progress("segment", done + 1, len(chosen), "run"))
    return written


def labels_of(maps: Features, models: Sequence[Model], volume: Volume) -> Volume:
    """One label for each voxel of the tomogram.

    A model of centres answers where particles are, so each is drawn as a sphere of the share of
    its radius that targets have; other models answer for every voxel.
    """
    objects, names = models[0].objects, list(maps.attributes["objects"])
    labels = np.zeros(volume.shape, np.uint8)
    particles = tuple(each for each in objects if each.is_particle and each.radius)
    dense = [each for each in objects if not (models[0].finds_centres and each in particles)]
    if dense:
        likely = likeliest([maps.array[names.index(each.name)] for each in dense])
        stride = round(maps.pixel_size / volume.pixel_size)
        for axis, size in enumerate(volume.shape):
            likely = likely.repeat(stride, axis=axis).take(range(size), axis=axis)
        for number, each in enumerate(dense, start=1):
            labels[likely == number] = each.label
    if models[0].finds_centres and particles:
        thresholds = {
            each.name: maps.attributes["thresholds"].get(each.name, DEFAULT_THRESHOLD)
            for each in particles
        }
        picks = picks_of_maps(maps, particles, thresholds, run="")
        radius_of = {each.name: each.known_radius() for each in particles}
        label_of = {each.name: each.label for each in particles}
        radii = np.array([radius_of[species] for species in picks.species])
        spheres = label_spheres(
            volume.shape,
            (0, 0, 0),
            picks.position_zyx / volume.pixel_size,
            models[0].radius_scale * radii / volume.pixel_size,
            np.array([label_of[species] for species in picks.species], np.int64),
        )
        labels = np.where(spheres > 0, spheres, labels)
    return volume.with_array(labels)


def _tomogram(
    config: SegmentConfig, project: Project, run: str, models: Sequence[Model]
) -> TomogramKey:
    """The tomogram to segment: as asked for, else of the kind the model was trained on."""
    types = models[0].tomogram_types
    tomogram_type = config.tomogram_type
    if tomogram_type is None and types:
        here = {key.tomogram_type for key in project.tomograms(run)}
        tomogram_type = next((each for each in types if each in here), types[0])
    voxel_size = config.voxel_size
    return project.choose_tomogram(run, voxel_size or models[0].voxel_size, tomogram_type)


def _quiet(on_event: OnEvent) -> OnEvent:
    """Pass all on but the progress within one tomogram, as there is one over all."""

    def listen(event: Event) -> None:
        if not isinstance(event, Progress):
            on_event(event)

    return listen
