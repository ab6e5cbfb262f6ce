"""Keep memory that a training step frees, so that the next step need not ask the system again."""

import ctypes
import sys

# Numbers of glibc's <malloc.h>.
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4
_NEVER_TRIM = 2**31 - 1


def keep_freed_memory() -> bool:
    """Tell glibc to reuse large blocks instead of returning them; False where there is no glibc.

    By default each block above 32 MB (one map of two boxes of 64 and 16 channels) is mapped afresh
    and zeroed page by page by the kernel, a fifth of a CPU training step. The price is memory: a
    process keeps its peak, and fragments raise it by up to a half. It holds for the whole process
    and for ever, so call it where only training follows.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM))
