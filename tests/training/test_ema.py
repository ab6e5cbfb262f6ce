import torch
from torch import nn

from icelens.training.ema import ema_decay_at, make_teacher, update_teacher


def pair():
    student = nn.Sequential(nn.Conv3d(1, 2, 3), nn.BatchNorm3d(2))
    teacher = make_teacher(student)
    with torch.no_grad():
        for weight in student.parameters():
            weight.add_(1.0)
    student(torch.randn(2, 1, 4, 4, 4))
    return teacher, student


def test_teacher_is_frozen_and_in_evaluation_mode():
    teacher, student = pair()
    assert not teacher.training
    assert not any(weight.requires_grad for weight in teacher.parameters())
    assert student.training


def test_teacher_moves_by_the_weight_and_copies_counters():
    teacher, student = pair()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    update_teacher(teacher, student, weight=torch.tensor(0.25))
    for name, value in teacher.state_dict().items():
        new = student.state_dict()[name]
        expected = before[name] + 0.25 * (new - before[name]) if new.is_floating_point() else new
        torch.testing.assert_close(value, expected)


def test_weight_zero_changes_no_bit():
    teacher, student = pair()
    before = [value.clone() for value in teacher.parameters()]
    update_teacher(teacher, student, weight=torch.tensor(0.0))
    assert all(torch.equal(a, b) for a, b in zip(before, teacher.parameters(), strict=True))


def test_decay_ramps_up_and_stops_at_what_was_asked():
    assert ema_decay_at(0, 0.99) == 0.1
    assert ema_decay_at(10, 0.99) == 11 / 20
    assert ema_decay_at(10_000, 0.99) == 0.99
