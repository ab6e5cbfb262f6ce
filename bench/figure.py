"""What a measurement hands back, how it is printed, and how CPU time is taken."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number; `reference` and `reach` are words, empty where there is nothing."""

    what: str
    value: float
    unit: str
    reference: str = ""
    reach: str = ""

    def row(self) -> str:
        """A row as in RESULTS.md, without machine and date."""
        return f"| {self.what} | {self.value:.4g} {self.unit} | {self.reference} | {self.reach} |"


def cpu_seconds(work: Callable[[], object], *, repeats: int = 3) -> float:
    """Median CPU time of the process for one call, after one call that warms up.

    CPU time, not wall time: a busy machine lengthens it by shared caches only.
    """
    work()
    spent = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        spent.append(time.process_time() - started)
    return statistics.median(spent)
