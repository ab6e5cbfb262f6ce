"""The report of a search: the best settings, how trials got better, what mattered."""

from pathlib import Path
from typing import TYPE_CHECKING

from icelens.core.plots.search import search_history, setting_importances
from icelens.jobs.run import Run
from icelens.tasks.pick.splits import Split

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_MOST_ROWS = 10
_FEWEST_FOR_IMPORTANCE = 4
"""Finished trials; the upper of them are compared with all."""
_TOP_SHARE = 0.25
"""Trials that count as good when importance is estimated."""


def report_search(
    run: Run, study: "Study", split: Split, best: "FrozenTrial | None", tested: float | None
) -> None:
    """Fill the report of a search."""
    run.report.section("Best settings")
    for sentence in _sentences(study, best, tested, run.folder / "best.yaml"):
        run.report.text(sentence)
    if best is not None:
        run.report.table(["setting", "value"], list(best.params.items()))
    _trials(run, study)
    _history(run, study)
    _importances(run, study)
    run.report.section("Runs")
    run.report.table(
        ["for", "runs"],
        [
            ["training", ", ".join(split.train)],
            ["judging trials", ", ".join(split.validation)],
            ["test (seen by no trial)", ", ".join(split.test) or "none"],
        ],
    )


def importances(study: "Study") -> dict[str, float]:
    """How much each setting decides whether a trial is among the best quarter; adds up to 1.

    Empty with fewer than four finished trials, or if nothing was drawn.

    References:
        Watanabe et al., IJCAI 2023 (PED-ANOVA).
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(finished) < _FEWEST_FOR_IMPORTANCE or not any(each.params for each in finished):
        return {}
    evaluator = PedAnovaImportanceEvaluator(target_quantile=_TOP_SHARE)
    return dict(get_param_importances(study, evaluator=evaluator))


def _sentences(
    study: "Study", best: "FrozenTrial | None", tested: float | None, settings: Path
) -> list[str]:
    if best is None:
        return ["No trial is finished, so there is no best model yet."]
    sentences = [
        f"Trial {best.number} is best with a score of {best.value or 0:.3f} on the runs that "
        "judge trials. The best of many is partly luck: expect less on other runs."
    ]
    if tested is not None:
        sentences.append(f"On the test runs, which no trial saw, its model scores {tested:.3f}.")
    sentences.append(
        "Trials are short. Train the final model at full length with: icelens pick train "
        f"--config {settings} --output final"
    )
    return sentences


def _trials(run: Run, study: "Study") -> None:
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    finished = sorted(
        (each for each in trials if each.state == TrialState.COMPLETE),
        key=lambda each: each.value or 0.0,
        reverse=True,
    )
    counted = {state: sum(each.state == state for each in trials) for state in TrialState}
    words = [f"{count} {state.name.lower()}" for state, count in counted.items() if count]
    run.report.section("Trials")
    run.report.text(f"{', '.join(words) or 'none'}; all are in trials.csv.")
    names = list(dict.fromkeys(name for each in finished[:_MOST_ROWS] for name in each.params))
    if finished:
        run.report.table(
            ["trial", "score", "seconds", *names],
            [
                [
                    each.number,
                    each.value or 0.0,
                    each.user_attrs.get("seconds", ""),
                    *(each.params.get(name, "") for name in names),
                ]
                for each in finished[:_MOST_ROWS]
            ],
        )


def _history(run: Run, study: "Study") -> None:
    from optuna.trial import TrialState

    states = (TrialState.COMPLETE, TrialState.PRUNED)
    reported = study.get_trials(deepcopy=False, states=states)
    known = [each for each in reported if each.value is not None]
    if not known:
        return
    run.report.figure(
        search_history(
            [each.number for each in known],
            [each.value or 0.0 for each in known],
            [each.state == TrialState.PRUNED for each in known],
            ylabel="score on held-out runs",
        ),
        name="history",
        caption="Score of each trial; a pruned one has its last score before it was stopped.",
    )


def _importances(run: Run, study: "Study") -> None:
    found = importances(study)
    if not found:
        return
    run.citations.append("watanabe2023pedanova")
    run.report.figure(
        setting_importances(found),
        name="importances",
        caption="How much each setting decides whether a trial is among the best quarter "
        "(PED-ANOVA). With few trials this is a hint, no more.",
    )
