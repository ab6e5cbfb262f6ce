import math
import signal

import pytest
import torch
from torch import nn

from icelens.core.errors import CheckpointError
from icelens.core.events import Message, Metrics, Progress, Saved
from icelens.training.checkpoint import load_checkpoint
from icelens.training.contract import FitSettings, Loss, TrainingError
from icelens.training.running import STEPS_PER_READING


class Stop(Exception):
    """A crash in mid-run."""


def weights_of(folder):
    return load_checkpoint(folder / "last.safetensors").tensors


def assert_same_bits(folder, other):
    first, second = weights_of(folder), weights_of(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def metrics_of(events, name):
    return [
        event.values[name]
        for event in events
        if isinstance(event, Metrics) and name in event.values
    ]


def warnings_of(events):
    return [
        event.text for event in events if isinstance(event, Message) and event.level == "warning"
    ]


def poisoned(tiny, bad_steps, *, times=math.inf):
    """Batches with a NaN voxel whenever one of `bad_steps` is made, `times` times in all."""
    left = times

    def batches(step, items):
        nonlocal left
        batch = tiny.tiny_batch(step, items)
        if step in bad_steps and left > 0:
            left -= 1
            batch[0, 0, 1, 1, 1] = torch.nan
        return batch

    return batches


def test_loss_falls_and_events_tell_each_step(tiny, tmp_path):
    events = []
    result = tiny.run_tiny(tmp_path, on_event=events.append, settings={"num_steps": 40})
    losses = metrics_of(events, "loss")
    assert len(losses) == len(metrics_of(events, "gradient_norm")) == 40
    terms = zip(metrics_of(events, "error"), metrics_of(events, "agreement"), strict=True)
    assert losses == pytest.approx([error + 0.1 * agreement for error, agreement in terms])
    assert losses[-1] < 0.5 * losses[0]
    assert [e.done for e in events if isinstance(e, Progress)] == list(range(1, 41))
    assert (result.best_step, result.last_step, result.stopped) == (40, 40, "finished")
    assert result.checkpoint == tmp_path / "last.safetensors"


def test_checkpoint_holds_the_average_and_its_description(tiny, tmp_path):
    network, events = tiny.tiny_network(), []
    result = tiny.run_tiny(tmp_path, network=network, on_event=events.append)
    loaded = load_checkpoint(tmp_path)
    assert loaded.description["task"] == "test"
    assert loaded.description["step"] == 16
    assert not torch.equal(loaded.tensors["0.weight"], network.state_dict()["0.weight"])
    tiny.tiny_network().load_state_dict(dict(loaded.tensors))
    assert Saved(result.checkpoint, "checkpoint") in events


def test_accumulated_parts_give_the_gradient_of_the_whole_batch(tiny, tmp_path):
    networks = [tiny.tiny_network(batch_norm=False) for _ in range(2)]
    for parts, network in zip((1, 4), networks, strict=True):
        settings = {"accumulate": parts, "learning_rate": 1e-3}
        tiny.run_tiny(tmp_path / str(parts), network=network, settings=settings)
    for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        # float32 sums in another order, through 16 steps of AdamW: some ulps of weights below 1
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)


def test_batch_that_cannot_be_shared_evenly_is_refused(tiny, tmp_path):
    with pytest.raises(TrainingError, match="use a multiple of 3"):
        tiny.run_tiny(tmp_path, settings={"accumulate": 3})


@pytest.mark.parametrize("crash_step", [0, 1, 4, 5, 9, 15])
def test_run_that_crashed_anywhere_resumes_to_the_same_bits(tiny, tmp_path, crash_step):
    def crashing(step, items):
        if step == crash_step:
            raise Stop
        return tiny.tiny_batch(step, items)

    def run(folder, **changes):
        network = tiny.tiny_network(dropout=0.3)
        return tiny.run_tiny(folder, network=network, validate=tiny.held_out_score, **changes)

    expected = run(tmp_path / "whole")
    with pytest.raises(Stop):
        run(tmp_path / "crashed", batches=crashing)
    resumed = run(tmp_path / "crashed", resume=True)
    assert_same_bits(tmp_path / "crashed", tmp_path / "whole")
    assert (resumed.best_step, resumed.stopped) == (expected.best_step, expected.stopped)


def test_resuming_a_finished_run_changes_nothing(tiny, tmp_path):
    first = tiny.run_tiny(tmp_path)
    before = weights_of(tmp_path)
    assert tiny.run_tiny(tmp_path, resume=True) == first
    assert all(torch.equal(before[name], value) for name, value in weights_of(tmp_path).items())


def test_resuming_nothing_starts_from_the_beginning(tiny, tmp_path):
    tiny.run_tiny(tmp_path / "new", resume=True)
    tiny.run_tiny(tmp_path / "old", resume=False)
    assert_same_bits(tmp_path / "new", tmp_path / "old")


def test_resuming_with_other_settings_names_the_first_that_differs(tiny, tmp_path):
    tiny.run_tiny(tmp_path, describe={"physics": {"defocus": 1.0}, "versions": {"torch": "1"}})
    with pytest.raises(CheckpointError, match=r"batch_size = 4, now it is 2; resume with the same"):
        tiny.run_tiny(tmp_path, resume=True, settings={"batch_size": 2, "patience": 3})
    with pytest.raises(CheckpointError, match=r"describe\.physics\.defocus = 1\.0, now it is 2\.0"):
        tiny.run_tiny(tmp_path, resume=True, describe={"physics": {"defocus": 2.0}})
    newer = {"physics": {"defocus": 1.0}, "versions": {"torch": "2"}}
    tiny.run_tiny(tmp_path, resume=True, describe=newer, settings={"time_limit": 60.0})


def test_fresh_run_removes_the_checkpoints_of_an_older_one(tiny, tmp_path):
    tiny.run_tiny(tmp_path, validate=tiny.held_out_score)
    assert (tmp_path / "best.safetensors").exists()
    tiny.run_tiny(tmp_path)
    assert not (tmp_path / "best.safetensors").exists()


def test_state_is_not_taken_for_a_checkpoint(tiny, tmp_path):
    tiny.run_tiny(tmp_path)
    with pytest.raises(CheckpointError, match="expected a checkpoint"):
        load_checkpoint(tmp_path / "state.safetensors")


def test_previews_and_publishing_do_not_change_what_is_learnt(tiny, tmp_path):
    def preview(network, step):
        torch.manual_seed(step)
        torch.rand(3)
        for weight in network.parameters():
            weight.fill_(9.0)

    def reestimate(network):
        network.train()(torch.randn(2, 1, 6, 6, 6))

    networks = [tiny.tiny_network(dropout=0.3) for _ in range(2)]
    tiny.run_tiny(tmp_path / "plain", network=networks[0])
    callbacks = {"at_save": preview, "finalise": reestimate, "validate": tiny.held_out_score}
    tiny.run_tiny(tmp_path / "busy", network=networks[1], settings={"save_every": 5}, **callbacks)
    for a, b in zip(networks[0].parameters(), networks[1].parameters(), strict=True):
        assert torch.equal(a, b)


def test_finalised_statistics_reach_checkpoint_and_score_alone(tiny, tmp_path):
    seen = []

    def finalise(network):
        network[1].running_mean.fill_(3.0)

    def validate(network):
        seen.append(network[1].running_mean.mean().item())
        return tiny.held_out_score(network)

    network = tiny.tiny_network()
    tiny.run_tiny(tmp_path, network=network, finalise=finalise, validate=validate)
    assert seen == [3.0] * 4
    assert load_checkpoint(tmp_path).tensors["1.running_mean"].eq(3.0).all()
    assert not network[1].running_mean.eq(3.0).any()


def test_best_checkpoint_is_that_of_the_lowest_score_and_patience_ends_the_run(tiny, tmp_path):
    scores = iter([3.0, 1.0, 2.0, math.nan, 0.0])
    result = tiny.run_tiny(
        tmp_path,
        validate=lambda network: next(scores),
        settings={"num_steps": 100, "validate_every": 2, "patience": 2},
    )
    assert (result.stopped, result.best_step, result.last_step) == ("early_stop", 4, 8)
    assert load_checkpoint(tmp_path).description["step"] == 4
    assert load_checkpoint(tmp_path).description["score"] == 1.0
    assert load_checkpoint(tmp_path / "last.safetensors").description["step"] == 8


def test_time_limit_stops_cleanly_and_the_run_can_go_on(tiny, tmp_path):
    first = tiny.run_tiny(tmp_path / "cut", settings={"time_limit": 1e-9})
    assert (first.stopped, first.last_step) == ("time_limit", 1)
    assert load_checkpoint(tmp_path / "cut").description["step"] == 1
    again = tiny.run_tiny(tmp_path / "cut", resume=True)
    assert again.stopped == "finished"
    tiny.run_tiny(tmp_path / "whole")
    assert_same_bits(tmp_path / "cut", tmp_path / "whole")


def test_ctrl_c_finishes_the_step_saves_and_can_be_resumed(tiny, tmp_path):
    def batches(step, items):
        if step == 6:
            signal.raise_signal(signal.SIGINT)
        return tiny.tiny_batch(step, items)

    events = []
    with pytest.raises(KeyboardInterrupt):
        tiny.run_tiny(tmp_path / "cut", batches=batches, on_event=events.append)
    assert len(metrics_of(events, "loss")) == 7
    events.clear()
    tiny.run_tiny(tmp_path / "cut", resume=True, on_event=events.append)
    assert len(metrics_of(events, "loss")) == 9
    tiny.run_tiny(tmp_path / "whole")
    assert_same_bits(tmp_path / "cut", tmp_path / "whole")


def test_step_that_is_not_finite_changes_nothing_and_says_so(tiny, tmp_path):
    network, events, kept = tiny.tiny_network(), [], []

    def batches(step, items):
        kept.append({name: value.clone() for name, value in network.state_dict().items()})
        return poisoned(tiny, {2})(step, items)

    tiny.run_tiny(tmp_path, network=network, batches=batches, on_event=events.append)
    assert all(torch.equal(kept[2][name], kept[3][name]) for name in kept[2])
    assert not torch.equal(kept[3]["0.weight"], kept[4]["0.weight"])
    assert warnings_of(events) == ["step 3: loss or gradient not finite; step skipped"]
    assert all(value.isfinite().all() for value in weights_of(tmp_path).values())


def test_finite_loss_with_a_gradient_that_is_not_is_skipped_too(tiny, tmp_path):
    def objective(network, teacher, batch):
        error = tiny.tiny_objective(network, teacher, batch).total
        # the square root of zero is 0, its slope is infinite
        return Loss(error + (network(batch) * 0).sum().abs().sqrt(), {"error": error})

    events, network = [], tiny.tiny_network()
    before = network[0].weight.detach().clone()
    settings = {"num_steps": 2, "validate_every": 2}
    tiny.run_tiny(
        tmp_path, network=network, objective=objective, on_event=events.append, settings=settings
    )
    assert torch.equal(network[0].weight, before)
    assert len(warnings_of(events)) == 2


def test_three_bad_steps_roll_back_and_halve_the_rate(tiny, tmp_path):
    events, made = [], []

    def batches(step, items):
        made.append(step)
        return source(step, items)

    source = poisoned(tiny, {7, 8, 9}, times=3)
    result = tiny.run_tiny(tmp_path, batches=batches, on_event=events.append)
    assert made == [*range(10), *range(5, 16)]
    assert warnings_of(events)[-1] == (
        "step 10: 3 steps in a row were not finite; back to step 5 with 0.5 of the learning rate"
    )
    rates = metrics_of(events, "learning_rate")
    assert rates[10] == pytest.approx(rates[5] / 2)
    assert result.last_step == 16


def test_crash_after_a_roll_back_resumes_to_the_same_bits(tiny, tmp_path):
    def run(folder, crash_step):
        source = poisoned(tiny, {7, 8, 9}, times=3)
        num_made = 0

        def batches(step, items):
            nonlocal num_made
            num_made += 1
            if num_made == crash_step:
                raise Stop
            return source(step, items)

        return tiny.run_tiny(folder, batches=batches)

    run(tmp_path / "whole", -1)
    with pytest.raises(Stop):
        run(tmp_path / "crashed", 12)
    tiny.run_tiny(tmp_path / "crashed", resume=True)
    assert_same_bits(tmp_path / "crashed", tmp_path / "whole")


def test_run_that_stays_bad_gives_up_with_a_remedy(tiny, tmp_path):
    events = []
    with pytest.raises(TrainingError, match="look for NaN or extreme voxels"):
        tiny.run_tiny(tmp_path, batches=poisoned(tiny, range(16)), on_event=events.append)
    assert len([text for text in warnings_of(events) if "back to step 0" in text]) == 5


def test_damaged_state_is_an_error_not_a_fresh_start(tiny, tmp_path):
    tiny.run_tiny(tmp_path)
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match=r"state\.safetensors: damaged"):
        tiny.run_tiny(tmp_path, resume=True)


def test_reading_many_steps_at_once_changes_nothing(tiny, tmp_path, monkeypatch):
    events = {1: [], 10: []}
    for interval, heard in events.items():
        monkeypatch.setitem(STEPS_PER_READING, "cpu", interval)
        source = poisoned(tiny, {7, 8, 9}, times=3)
        tiny.run_tiny(tmp_path / str(interval), batches=source, on_event=heard.append)
    assert_same_bits(tmp_path / "1", tmp_path / "10")
    assert metrics_of(events[1], "learning_rate") == metrics_of(events[10], "learning_rate")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"num_steps": 0}, "num_steps is 0; it must be at least 1"),
        ({"patience": -1}, "patience is -1; it must not be negative"),
        ({"min_learning_rate": 1.0}, "minimum must lie between"),
        ({"ema_decay": 1.0}, "ema_decay is 1.0"),
        ({"time_limit": 0.0}, "time_limit is 0.0 s"),
    ],
)
def test_impossible_settings_are_refused(changes, match):
    with pytest.raises(TrainingError, match=match):
        FitSettings(**{"num_steps": 10, "batch_size": 2, **changes})


def test_network_sees_the_precision_of_the_run_and_objective_float32(tiny, tmp_path):
    class Probe(nn.Module):
        def __init__(self):
            super().__init__()
            self.kernel = nn.Conv3d(1, 1, 3, padding=1)
            self.seen = None

        def forward(self, volumes):
            assert volumes.dtype == torch.float32
            output = self.kernel(volumes)
            self.seen = output.dtype
            return output

    def objective(network, teacher, batch):
        output = network(batch)
        assert output.dtype == teacher(batch).dtype == torch.float32
        return tiny.tiny_objective(network, teacher, batch)

    network = Probe()
    tiny.run_tiny(
        tmp_path,
        network=network,
        objective=objective,
        settings={"num_steps": 1},
        precision="bfloat16",
    )
    assert network.seen == torch.bfloat16


def test_run_killed_in_steps_and_in_mid_write_ends_with_the_same_bits(tmp_path, run_script, tiny):
    network = tiny.tiny_network(dropout=0.3)
    callbacks = {"validate": tiny.held_out_score, "settings": {"accumulate": 2}}
    tiny.run_tiny(tmp_path / "whole", network=network, **callbacks)
    killed = tmp_path / "killed"
    # writes: state 0, best 4, last 5, state 5, best 8, ...; the fourth is the state of step 5
    for death in (["--die-in-step", 3], ["--die-in-write", 4], ["--die-in-step", 13]):
        done = run_script(killed, "--dropout", 0.3, *death)
        assert done.returncode == -signal.SIGKILL, done.stderr
    events = []
    tiny.run_tiny(
        killed,
        network=tiny.tiny_network(dropout=0.3),
        resume=True,
        on_event=events.append,
        **callbacks,
    )
    assert len(metrics_of(events, "loss")) == 6
    assert_same_bits(killed, tmp_path / "whole")
