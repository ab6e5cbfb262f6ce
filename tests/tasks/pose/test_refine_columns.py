import numpy as np
from pose_world import make_world

from icelens.core.geometry.relion_angles import matrices_from_relion_angles
from icelens.tasks.pose.refine_columns import columns_of
from icelens.tasks.pose.refinement.pose_table import PoseTable


def test_columns_hold_given_and_further_poses() -> None:
    particles = make_world(5, None).particles
    poses = PoseTable.unrefined(particles, 2)
    poses.shift_yx[:, 1] = [3.0, 4.0]
    columns = columns_of(particles, poses)
    assert all(len(values) == 5 for values in columns.values())
    angles = [columns[f"ilAngle{name}Given"] for name in ("Rot", "Tilt", "Psi")]
    assert np.allclose(matrices_from_relion_angles(np.stack(angles, -1)), particles.rotation)
    assert np.allclose(columns["ilOriginXGivenAngst"], particles.shift_yx[:, 1])
    assert (columns["rlnOriginXAngst_top2"] == 4.0).all()
    assert (columns["rlnOriginYAngst_top2"] == 3.0).all()
    assert "rlnAngleRot" not in columns
