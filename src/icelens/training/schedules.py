"""The learning rate as a function of the step: a linear warm-up, then one cosine to the end."""

import math


def learning_rate_at(
    step: int, *, peak: float, minimum: float, num_steps: int, warmup_steps: int
) -> float:
    """Return the learning rate of `step`, counted from 0.

    It rises linearly over `warmup_steps` and reaches `peak` in the last of them, then falls along
    half a cosine (Loshchilov & Hutter 2017, eq. 5, without restarts) that ends at `minimum` in
    step `num_steps - 1`. One cosine spans the whole run: it never rises again, whatever is saved
    or previewed in between. A warm-up as long as the run leaves no cosine.
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    # the first step after the warm-up still has the peak, hence num_steps - 1
    fraction = (step - warmup_steps) / max(1, num_steps - 1 - warmup_steps)
    return minimum + (peak - minimum) * 0.5 * (1 + math.cos(math.pi * min(1.0, fraction)))
