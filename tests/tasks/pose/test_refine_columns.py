from dataclasses import replace

import numpy as np
from pose_world import make_world

from icelens.core.geometry.relion_angles import matrices_from_relion_angles
from icelens.core.io.particle_files import new_particle_file
from icelens.core.refinement.pose_table import PoseTable
from icelens.tasks.pose.refine_columns import columns_of


def test_columns_hold_given_and_further_poses() -> None:
    particles = make_world(5, None).particles
    poses = PoseTable.unrefined(particles, 2)
    poses.shift_yx[:, 1] = [3.0, 4.0]
    columns = columns_of(new_particle_file(particles), poses)
    assert all(len(values) == 5 for values in columns.values())
    angles = [columns[f"ilAngle{name}Given"] for name in ("Rot", "Tilt", "Psi")]
    assert np.allclose(matrices_from_relion_angles(np.stack(angles, -1)), particles.rotation)
    assert np.allclose(columns["ilOriginXGivenAngst"], particles.shift_yx[:, 1])
    assert (columns["rlnOriginXAngst_top2"] == 4.0).all()
    assert (columns["rlnOriginYAngst_top2"] == 3.0).all()
    assert "rlnAngleRot" not in columns


def test_images_of_a_tilt_stack_carry_the_pose_of_their_particle() -> None:
    particles = make_world(6, None).particles
    own = particles.rotation[[0, 3]][np.arange(6) // 3]
    stage = particles.rotation @ np.swapaxes(own, 1, 2)
    origin = np.array([1.0, -2.0, 3.0])
    shift = (stage @ origin)[:, 1::-1]
    tied = replace(particles, stage=stage, shift_yx=shift, particle=np.arange(6) // 3)
    file = replace(new_particle_file(tied), table_row=np.arange(6) // 3)
    columns = columns_of(file, PoseTable.unrefined(tied, 2))
    for end, names in (("", "ilAngle{}Given"), ("_top2", "rlnAngle{}_top2")):
        angles = [columns[names.format(name)] for name in ("Rot", "Tilt", "Psi")]
        assert np.allclose(matrices_from_relion_angles(np.stack(angles, -1)), own)
        origins = "ilOrigin{}GivenAngst" if not end else "rlnOrigin{}Angst_top2"
        found = np.stack([columns[origins.format(axis)] for axis in "XYZ"], -1)
        assert np.allclose(found, origin)
