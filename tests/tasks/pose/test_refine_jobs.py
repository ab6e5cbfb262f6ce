from pathlib import Path

from pose_world import make_world, written

from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.jobs import registry
from icelens.tasks.pose.refine_jobs import estimate_refine
from icelens.tasks.pose.refine_settings import RefineConfig


def test_job_is_found() -> None:
    assert "pose.refine" in {job.name for job in registry.all_jobs()}


def test_estimate_grows_with_the_work(tmp_path: Path) -> None:
    particles = written(make_world(4, 1.0), tmp_path)
    write_particles(tmp_path / "start.star", new_particle_file(particles))

    def config(star: str = "start.star", **settings: object) -> RefineConfig:
        return RefineConfig(particles=(tmp_path / star,), map=tmp_path / "map.mrc", **settings)

    little = estimate_refine(config(max_resolution=30.0))
    much = estimate_refine(config(halves=True, iterations=4))
    assert 0 < little.seconds < much.seconds
    assert 0 < little.memory_bytes < much.memory_bytes
    assert little.disk_bytes < much.disk_bytes
    assert estimate_refine(config("absent.star")).seconds == 0
