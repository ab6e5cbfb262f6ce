"""Metrics are read as they grow, thinned without losing extremes, and survive what kills leave."""

import json
from pathlib import Path

from icelens.apps.web.metrics import (
    MOST_BYTES,
    MOST_POINTS,
    MOST_SERIES,
    Series,
    appended_metrics,
    parts_of,
    sampled_metric,
    thinned,
)


def write(folder: Path, text: str | bytes, *, mode: str = "wb") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "metrics.jsonl").open(mode) as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def row(step: int, **values: object) -> str:
    return json.dumps({"step": step, **values}) + "\n"


def test_only_what_was_appended_is_read(tmp_path):
    write(tmp_path, row(1, loss=3.0))
    first = appended_metrics(tmp_path)
    write(tmp_path, row(2, loss=2.0), mode="ab")
    second = appended_metrics(tmp_path, after=first.offset, file_id=first.file_id)
    assert first.series["loss"].steps == [1]
    assert second.series["loss"].steps == [2]
    assert not second.is_reset


def test_half_a_last_line_waits_until_it_is_whole(tmp_path):
    write(tmp_path, row(1, loss=3.0) + '{"step": 2, "lo')
    first = appended_metrics(tmp_path)
    write(tmp_path, 'ss": 2.0}\n', mode="ab")
    second = appended_metrics(tmp_path, after=first.offset, file_id=first.file_id)
    assert first.series["loss"].steps == [1]
    assert second.series["loss"].values == [2.0]


def test_values_that_are_no_numbers_are_gaps_or_left_out(tmp_path):
    write(
        tmp_path,
        '{"step": 1, "loss": NaN, "name": "x", "is_best": true, "list": [1]}\n'
        '{"step": 2, "loss": Infinity}\n'
        '{"step": 3, "loss": null}\n' + '{"step": 4, "loss": 1' + "0" * 400 + "}\n"
        '{"step": 5, "loss": 0.5}\n',
    )
    series = appended_metrics(tmp_path).series
    assert series.keys() == {"loss"}
    assert series["loss"].values == [None, None, None, None, 0.5]


def test_lines_that_are_no_rows_are_passed_over(tmp_path):
    write(
        tmp_path,
        b"\xff\xfe\n[1, 2]\n3\n\n" + b"[" * 100_000 + b"\n"
        b'{"loss": 1.0}\n{"step": "two", "loss": 1.0}\n{"step": 1.5, "loss": 1.0}\n'
        b'{"step": 1e300, "loss": 1.0}\n{"step": true, "loss": 1.0}\n{"step": 7.0, "loss": 1.0}\n',
    )
    assert appended_metrics(tmp_path).series["loss"].steps == [7]


def test_steps_that_a_resumed_run_did_again_replace_the_earlier_ones(tmp_path):
    write(tmp_path, "".join(row(i, loss=float(i)) for i in (1, 2, 3, 2, 3)))
    write(tmp_path, row(4, loss=9.0) + row(3, loss=8.0), mode="ab")
    series = appended_metrics(tmp_path).series["loss"]
    assert series.steps == [1, 2, 3]
    assert series.values == [1.0, 2.0, 8.0]


def test_a_file_that_was_replaced_is_read_from_its_beginning(tmp_path):
    write(tmp_path, row(1, loss=1.0) * 10)
    first = appended_metrics(tmp_path)
    (tmp_path / "metrics.jsonl").rename(tmp_path / "old")
    write(tmp_path, row(1, loss=5.0) * 20)
    again = appended_metrics(tmp_path, after=first.offset, file_id=first.file_id)
    assert again.is_reset
    assert again.series["loss"].values == [5.0]


def test_a_file_that_became_shorter_is_read_from_its_beginning(tmp_path):
    write(tmp_path, row(1, loss=1.0))
    assert appended_metrics(tmp_path, after=10**9).is_reset


def test_a_million_lines_come_in_bounded_answers_that_keep_the_extremes(tmp_path):
    count = 200_000
    lines = [b'{"step": %d, "loss": %d.5}\n' % (i, i % 1000) for i in range(count)]
    lines[123_456] = b'{"step": 123456, "loss": -7.0}\n'
    write(tmp_path, b"".join(lines))
    answers = [appended_metrics(tmp_path)]
    while answers[-1].is_more:
        last = answers[-1]
        answers.append(appended_metrics(tmp_path, after=last.offset, file_id=last.file_id))
    values = [value for answer in answers for value in answer.series["loss"].values]
    assert len(answers) == -(-(tmp_path / "metrics.jsonl").stat().st_size // MOST_BYTES)
    assert all(len(answer.series["loss"].steps) <= MOST_POINTS for answer in answers)
    assert min(values) == -7.0
    assert max(values) == 999.5


def test_a_line_without_end_is_passed_over_piece_by_piece(tmp_path):
    write(tmp_path, b"x" * (MOST_BYTES + 10) + b"\n" + row(1, loss=1.0).encode())
    first = appended_metrics(tmp_path)
    second = appended_metrics(tmp_path, after=first.offset, file_id=first.file_id)
    assert first.is_more
    assert second.series["loss"].values == [1.0]


def test_too_many_metrics_are_not_all_kept(tmp_path):
    write(tmp_path, row(1, **{f"m{i}": 1.0 for i in range(500)}, **{"n" * 101: 1.0}))
    assert len(appended_metrics(tmp_path).series) == MOST_SERIES


def test_thinning_keeps_gaps_ends_and_order():
    values = [float(i % 7) for i in range(10_000)]
    values[4000:6000] = [None] * 2000
    result = thinned(Series(list(range(10_000)), values), 1000)
    assert len(result.steps) <= 1000
    assert result.steps == sorted(result.steps)
    assert None in result.values
    assert max(v for v in result.values if v is not None) == 6.0


def test_no_file_is_no_metrics(tmp_path):
    assert appended_metrics(tmp_path / "nowhere").series == {}
    assert sampled_metric(tmp_path) == ("", [])


def test_parts_are_listed_in_the_order_of_their_numbers_without_links(tmp_path):
    for name in ("trial_10", "trial_9", "deep/fold_1", "too/deep/fold"):
        write(tmp_path / name, row(1, loss=1.0))
    (tmp_path / "link").symlink_to(tmp_path / "trial_9")
    assert parts_of(tmp_path) == ["deep/fold_1", "trial_9", "trial_10"]


def test_a_sample_of_a_long_file_shows_its_course(tmp_path):
    write(tmp_path, "".join(row(i, rate=0.1, loss=float(20_000 - i)) for i in range(20_000)))
    name, values = sampled_metric(tmp_path, 60)
    assert name == "loss"
    assert 30 <= len(values) <= 60
    assert values == sorted(values, reverse=True)
    assert values[0] > 19_000 > 1000 > values[-1]
