"""Where a search draws from: what a trial tries depends on the seed, its number and the past."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

_STARTUP_TRIALS, _CANDIDATES = 10, 24


class SeededByTrial(BaseSampler):
    """A tree-structured Parzen estimator with a random stream for each trial.

    A stream for each process would begin anew when a search is resumed, and repeat itself in
    processes that share a search and a seed.

    References:
        Bergstra et al., NeurIPS 2011; multivariate as in Falkner et al., ICML 2018.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._number = -1
        self._current = self._of_trial(0)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The space that is drawn from jointly; it begins the stream of the trial."""
        return self._at(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Values that are drawn jointly."""
        return self._at(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:  # noqa: ANN401 - Optuna's interface
        """A value that is drawn by itself."""
        return self._at(trial).sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Let the estimator note the end of a trial."""
        self._at(trial).after_trial(study, trial, state, values)

    def _at(self, trial: FrozenTrial) -> TPESampler:
        if trial.number != self._number:
            self._number, self._current = trial.number, self._of_trial(trial.number)
        return self._current

    def _of_trial(self, number: int) -> TPESampler:
        # trial 0 of seed 1 and trial 1 of seed 0 must not share a stream
        (seed,) = np.random.SeedSequence([self._seed, number]).generate_state(1).tolist()
        return TPESampler(
            n_startup_trials=_STARTUP_TRIALS,
            n_ei_candidates=_CANDIDATES,
            seed=seed,
            multivariate=True,
            group=True,
            # trials that others are at count as bad, so that no two try the same
            constant_liar=True,
        )
