"""Where a run stands, besides its weights, and the rules by which it goes on."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from icelens.training.contract import TrainingError

MAX_SKIPS_IN_A_ROW = 3
MAX_ROLLBACKS = 5


@dataclass(frozen=True)
class Standing:
    """`step` counts finished steps; `scores` are held-out scores as (step, score), lower is better.

    `rate_factor` multiplies the learning rate and is halved by each roll-back.
    """

    step: int = 0
    rate_factor: float = 1.0
    skips_in_a_row: int = 0
    num_rollbacks: int = 0
    best_score: float | None = None
    best_step: int = 0
    num_worse: int = 0
    scores: tuple[tuple[int, float], ...] = ()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Standing":
        """Read what `to_json` wrote."""
        scores = tuple((int(step), float(score)) for step, score in values["scores"])
        return cls(**{**values, "scores": scores})

    def to_json(self) -> dict[str, Any]:
        """Return plain values that JSON can hold exactly."""
        return asdict(self)

    def after_step(self, *, is_finite: bool) -> "Standing":
        """Count a step; one that was not finite has changed no weight."""
        return replace(
            self, step=self.step + 1, skips_in_a_row=0 if is_finite else self.skips_in_a_row + 1
        )

    @property
    def is_lost(self) -> bool:
        """Whether so many steps were skipped in a row that going on is pointless."""
        return self.skips_in_a_row >= MAX_SKIPS_IN_A_ROW

    def rolled_back_to(self, saved: "Standing") -> "Standing":
        """Go back to a saved step with half the learning rate; the best score so far stays known.

        Raises:
            TrainingError: If the run has rolled back too often already.
        """
        if self.num_rollbacks >= MAX_ROLLBACKS:
            raise TrainingError(
                f"step {self.step}: loss or gradient not finite again after {MAX_ROLLBACKS} "
                f"roll-backs, the learning rate being {self.rate_factor:g} of what was asked; "
                "look for NaN or extreme voxels in the input, or lower --learning-rate"
            )
        return replace(
            self,
            step=saved.step,
            rate_factor=self.rate_factor / 2,
            skips_in_a_row=0,
            num_rollbacks=self.num_rollbacks + 1,
            num_worse=saved.num_worse,
            scores=saved.scores,
        )

    def after_validation(self, score: float) -> "Standing":
        """Count a held-out score; one that is not finite is never the best and not recorded."""
        is_known = math.isfinite(score)
        is_best = is_known and (self.best_score is None or score < self.best_score)
        return replace(
            self,
            best_score=score if is_best else self.best_score,
            best_step=self.step if is_best else self.best_step,
            num_worse=0 if is_best else self.num_worse + 1,
            scores=(*self.scores, (self.step, score)) if is_known else self.scores,
        )
