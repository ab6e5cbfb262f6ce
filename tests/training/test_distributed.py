import json

import pytest
import torch
from torch import nn

from icelens.core.events import Metrics
from icelens.training.checkpoint import load_checkpoint, read_tensors
from icelens.training.contract import TrainingError
from icelens.training.distributed import (
    CommonBatchNorm3d,
    any_process,
    mean_over_processes,
    num_processes,
    share_of,
    synchronise_batch_norm,
)

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def test_one_process_has_every_item_and_agrees_with_itself():
    assert num_processes() == 1
    assert share_of(6, part=1, num_parts=3) == range(2, 4)
    assert any_process(flag=True, device=torch.device("cpu"))
    assert not any_process(flag=False, device=torch.device("cpu"))
    assert torch.equal(mean_over_processes(torch.arange(3)), torch.arange(3))


@pytest.mark.parametrize(("num", "num_parts"), [(1, 1), (2, 1), (2, 3), (3, 2)])
def test_shares_of_all_processes_make_the_same_parts(monkeypatch, num, num_parts):
    module = "icelens.training.distributed"
    monkeypatch.setattr(f"{module}.num_processes", lambda: num)
    for part in range(num_parts):
        items = []
        for index in range(num):
            monkeypatch.setattr(f"{module}.dist.get_rank", lambda index=index: index)
            items += share_of(12, part=part, num_parts=num_parts)
        assert items == list(range(part * 12 // num_parts, (part + 1) * 12 // num_parts))


def test_uneven_shares_are_refused(monkeypatch):
    monkeypatch.setattr("icelens.training.distributed.num_processes", lambda: 2)
    with pytest.raises(TrainingError, match="use a multiple of 4"):
        share_of(6, part=0, num_parts=2)


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("affine", [True, False])
def test_shared_path_of_batch_norm_is_torch_s_batch_norm(monkeypatch, momentum, affine):
    """With exchanges that change nothing, the shared path must be plain batch norm."""
    theirs = nn.BatchNorm3d(3, momentum=momentum, affine=affine)
    ours = synchronise_batch_norm(
        nn.Sequential(nn.BatchNorm3d(3, momentum=momentum, affine=affine))
    )
    assert isinstance(ours[0], CommonBatchNorm3d)
    monkeypatch.setattr("icelens.training.distributed.num_processes", lambda: 2)
    monkeypatch.setattr("icelens.training.distributed.dist.all_reduce", lambda tensor: None)
    torch.manual_seed(0)
    # a mean of 100 standard deviations, where the difference of sums of squares would cancel
    volumes = 100.0 + torch.randn(4, 3, 5, 6, 7)
    gradient = torch.randn_like(volumes)
    results = []
    for network in (theirs, ours):
        leaf = volumes.clone().requires_grad_()
        output = network(leaf)
        network(leaf)
        output.backward(gradient)
        weights = [weight.grad for weight in network.parameters()]
        results.append([output.detach(), leaf.grad, *weights, *network.buffers()])
    for expected, found in zip(*results, strict=True):
        # 100 in float32 is known to 4e-6, a few of these meet in each output
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=3e-5)


def test_exchanged_batch_norm_keeps_names_values_and_mode():
    network = nn.Sequential(nn.Conv3d(1, 2, 3), nn.Sequential(nn.BatchNorm3d(2))).eval()
    network[1][0].running_mean.fill_(4.0)
    before = network.state_dict()
    common = synchronise_batch_norm(network)
    assert isinstance(common[1][0], CommonBatchNorm3d)
    assert not common[1][0].training
    assert common.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in common.state_dict().items())


def assert_same_but_for_rounding(folder, other):
    found = load_checkpoint(other / "last.safetensors").tensors
    for name, expected in load_checkpoint(folder / "last.safetensors").tensors.items():
        # units of 6e-8, which AdamW may magnify where a gradient almost vanishes
        torch.testing.assert_close(found[name], expected, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory, run_script):
    """Folder of a run by two processes under torchrun (gloo); its history lies beside it."""
    folder = tmp_path_factory.mktemp("shared") / "two"
    done = run_script(folder, "--history", folder.with_suffix(".json"), launcher=TORCHRUN)
    assert done.returncode == 0, done.stderr
    return folder


def test_two_processes_learn_what_one_does_from_the_same_batch(tiny, tmp_path, shared_run):
    """Loss, score and weights, batch norm and accumulation included."""
    one = []

    def listen(event):
        if isinstance(event, Metrics):
            one.append({"step": event.step, **event.values})

    settings = {"accumulate": 2}
    tiny.run_tiny(tmp_path, on_event=listen, validate=tiny.held_out_score, settings=settings)
    two = json.loads(shared_run.with_suffix(".json").read_text())
    assert len(one) == len(two) == 16 + 4
    for expected, found in zip(one, two, strict=True):
        # float32 sums in another order: some units of 6e-8, growing a little over the steps
        assert found == pytest.approx(expected, rel=1e-5)
    assert_same_but_for_rounding(tmp_path, shared_run)


def test_signal_to_one_process_stops_both_and_one_alone_can_finish(
    tiny, tmp_path, run_script, shared_run
):
    stopped = run_script(tmp_path, "--terminate-in-step", 6, launcher=TORCHRUN)
    assert stopped.returncode != 0
    assert read_tensors(tmp_path / "state.safetensors").description["standing"]["step"] == 7
    settings = {"accumulate": 2}
    tiny.run_tiny(tmp_path, resume=True, validate=tiny.held_out_score, settings=settings)
    assert_same_but_for_rounding(tmp_path, shared_run)
