"""The report of a cross-validation: folds, classes, curves, thresholds and the hardest run."""

from collections.abc import Sequence

from icelens.core.data.pickable import PickableObject
from icelens.core.plots.detection import precision_recall_curves
from icelens.core.plots.thresholds import f_beta_curves
from icelens.jobs.run import Run
from icelens.tasks.pick.held_out_file import FinishedFold
from icelens.tasks.pick.labelled import LabelledTomogram
from icelens.tasks.pick.out_of_fold import OutOfFold
from icelens.tasks.pick.scoring import described
from icelens.tasks.pick.search_settings import CrossValidateConfig
from icelens.tasks.pick.train_report import show_scores, show_worst_run


def report_folds(
    run: Run,
    config: CrossValidateConfig,
    folds: Sequence[FinishedFold],
    pooled: OutOfFold,
    tomograms: Sequence[LabelledTomogram],
    objects: Sequence[PickableObject],
) -> None:
    """Fill the report of a cross-validation."""
    run.report.section("Out-of-fold score")
    for sentence in _sentences(config, pooled):
        run.report.text(sentence)
    for sentence in unlearnt(folds, tomograms, objects):
        run.report.text(sentence)
    run.report.section("Folds")
    run.report.table(
        ["fold", "held out", "learnt from", f"F{config.beta:g} at the others' thresholds"],
        [
            [
                fold.folder.name,
                ", ".join(fold.split.validation),
                ", ".join(fold.split.train),
                "-" if score is None or score.f_beta is None else f"{score.f_beta:.3f}",
            ]
            for fold, score in zip(folds, pooled.by_fold, strict=True)
        ],
    )
    run.report.section("Classes, all folds together")
    run.report.text(f"At the best threshold of each class: {described(pooled.held_out)}.")
    show_scores(run, pooled.held_out, pooled.thresholds)
    _curves(run, config, pooled)
    show_worst_run(run, tomograms, pooled.held_out, pooled.thresholds, objects, name="out_of_fold")
    models = " ".join(f"--model {fold.folder}" for fold in folds)
    run.report.section("What next")
    run.report.text(
        "The thresholds above are stored in the model of every fold. All folds together make an "
        f"ensemble: icelens pick segment --project {config.project[0]} {models}"
    )


def unlearnt(
    folds: Sequence[FinishedFold],
    tomograms: Sequence[LabelledTomogram],
    objects: Sequence[PickableObject],
) -> list[str]:
    """Sentences on classes that a fold was judged on but had nothing to learn from."""
    sentences = []
    for fold in folds:
        names = [
            each.name
            for number, each in enumerate(objects)
            if each.is_particle
            and any(len(t.picks_of(number)) for t in tomograms if t.name in fold.picks)
            and not any(len(t.picks_of(number)) for t in tomograms if t.name not in fold.picks)
        ]
        if names:
            sentences.append(
                f"Beware: no run that {fold.folder.name} learnt from holds {', '.join(names)}, "
                "so that it could only miss them; use fewer folds, or annotate more runs."
            )
    return sentences


def _sentences(config: CrossValidateConfig, pooled: OutOfFold) -> list[str]:
    name = f"F{config.beta:g}"
    if pooled.cross_fitted is None or pooled.at_thresholds is None:
        return [f"No class is particles; overlaps: {described(pooled.held_out)}."]
    sentences = [
        f"Weighted {name} by the CZII rule: {pooled.cross_fitted.f_beta or 0:.3f}. Each run was "
        "picked by a network that never saw it, and its threshold was chosen on the other runs.",
        f"At the thresholds below, chosen on all these runs, it is "
        f"{pooled.at_thresholds.f_beta or 0:.3f}: what to expect of new runs lies nearer the "
        "former.",
    ]
    if config.select == "best":
        sentences.append(
            "Each network is of the step that did best on the runs it was then scored on, which "
            "makes all scores here a little too good; --select last avoids it."
        )
    return sentences


def _curves(run: Run, config: CrossValidateConfig, pooled: OutOfFold) -> None:
    scored = pooled.held_out.classes()
    curves = {each.name: each.curve for each in scored if each.curve is not None}
    if not curves:
        return
    run.report.figure(
        precision_recall_curves(curves),
        name="precision_recall",
        caption="Precision over recall as the threshold falls, one to one, all folds together.",
    )
    run.report.figure(
        f_beta_curves(curves, pooled.thresholds, beta=config.beta),
        name="thresholds",
        caption=f"F{config.beta:g}, one to one, over the least score that counts; dots are the "
        "thresholds stored in the models.",
    )
