from pathlib import Path

from pose_world import make_world, written

from icelens.core.io.particle_files import new_particle_file, write_particles
from icelens.tasks.pose.costs import estimate_infer, estimate_refine, estimate_train
from icelens.tasks.pose.infer_settings import InferConfig
from icelens.tasks.pose.refine_settings import RefineConfig
from icelens.tasks.pose.train_settings import TrainConfig


def test_refinement_costs_more_the_more_it_does(tmp_path: Path) -> None:
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


def test_training_costs_more_with_epochs_and_larger_encoders(tmp_path: Path) -> None:
    particles = written(make_world(4, 1.0), tmp_path)
    write_particles(tmp_path / "known.star", new_particle_file(particles))

    def seconds(star: str = "known.star", **settings: object) -> float:
        config = TrainConfig(particles=(tmp_path / star,), output=tmp_path / "model", **settings)
        return estimate_train(config).seconds

    assert 0 < seconds() < seconds(epochs=20)
    assert seconds() < seconds(encoder="convmixer")
    assert seconds() < seconds(simulate_from=tmp_path / "map.mrc")
    assert seconds("absent.star") == 0


def test_inference_costs_more_with_refinement(tmp_path: Path) -> None:
    particles = written(make_world(4, 1.0), tmp_path)
    write_particles(tmp_path / "new.star", new_particle_file(particles))

    def seconds(star: str = "new.star", **settings: object) -> float:
        config = InferConfig(
            model=tmp_path / "model", particles=(tmp_path / star,), output=tmp_path, **settings
        )
        return estimate_infer(config).seconds

    assert 0 < seconds(refine=False, reconstruct=False) < seconds(refine=False) < seconds()
    assert seconds(first=2) < seconds()
    assert seconds("absent.star") == 0
