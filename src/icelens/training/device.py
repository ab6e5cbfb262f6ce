"""Where and how precisely to compute, chosen once and with a reason."""

import ctypes
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from icelens.core.errors import IcelensError

Precision = Literal["float32", "bfloat16"]

# numbers of glibc's <malloc.h>, and its largest setting
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER_TRIM = 2**31 - 1


@dataclass(frozen=True)
class Compute:
    """A device, the precision of network passes on it, CPU threads, and `reason`: why these."""

    device: torch.device
    precision: Precision
    threads: int
    reason: str


def choose_compute(device: str = "auto", precision: str = "auto", threads: int = 0) -> Compute:
    """Choose where to compute.

    `auto` takes CUDA, then MPS, then the CPU; bfloat16 on CUDA devices that support it and on CPUs
    with AVX512-BF16 or AMX instructions (elsewhere it is emulated, twice as slow as float32).
    Weights and optimiser stay float32 in either case. Under `torchrun` each process takes the GPU
    of its local rank. `threads = 0` leaves torch's own choice, which heeds `OMP_NUM_THREADS`.

    Raises:
        IcelensError: If the device or precision is unknown or not available here.
    """
    chosen, why_device = _choose_device(device)
    chosen_precision, why_precision = _choose_precision(precision, chosen)
    if threads < 0:
        raise IcelensError(f"threads is {threads}; give a positive number, or 0 for all")
    return Compute(
        device=chosen,
        precision=chosen_precision,
        threads=threads or torch.get_num_threads(),
        reason=f"{chosen}: {why_device}; {chosen_precision}: {why_precision}",
    )


def autocast(compute: Compute) -> AbstractContextManager[None]:
    """Return the context in which a network computes in the chosen precision."""
    return torch.autocast(
        compute.device.type, dtype=torch.bfloat16, enabled=compute.precision == "bfloat16"
    )


def fast_convolutions(compute: Compute) -> AbstractContextManager[None]:
    """Let cuDNN time its algorithms once, as all crops have one shape."""
    if compute.device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=True)


def use_threads(compute: Compute) -> None:
    """Let CPU operators use the threads that were asked for."""
    torch.set_num_threads(compute.threads)


def keep_freed_memory(compute: Compute) -> bool:
    """Let a process that computes on the CPU reuse large blocks; False where that is not offered.

    By default glibc maps each block above 32 MB afresh, and the kernel zeroes it page by page: a
    fifth of the time that a network takes for boxes of 64 and more. The price is that the process
    keeps its peak, a quarter higher by fragments. It holds for the whole process, for ever.
    """
    if compute.device.type != "cpu" or not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM))


def memory_bytes(device: torch.device) -> int:
    """Return the bytes that a computation on `device` may still take.

    On a CPU this is what the kernel calls available, or less where a control group (a container
    or batch job) allows less.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return min(_available_bytes(), _control_group_bytes())


def _choose_device(name: str) -> tuple[torch.device, str]:
    if name == "auto":
        if torch.cuda.is_available():
            return _cuda_device(None), "a CUDA GPU is visible"
        if torch.backends.mps.is_available():
            return torch.device("mps"), "an Apple GPU is visible"
        return torch.device("cpu"), "no GPU is visible"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise IcelensError(
            f"device {name!r} is unknown; expected auto, cpu, cuda, cuda:N or mps"
        ) from error
    choose = {
        "cpu": lambda: device,
        "cuda": lambda: _cuda_device(device.index),
        "mps": _mps_device,
    }.get(device.type)
    if choose is None:
        raise IcelensError(f"device {name!r} is not supported; use auto, cpu, cuda, cuda:N or mps")
    return choose(), "asked for"


def _cuda_device(index: int | None) -> torch.device:
    if not torch.cuda.is_available():
        raise IcelensError(
            "device cuda: no CUDA GPU is visible; use --device cpu, or check the driver, "
            "CUDA_VISIBLE_DEVICES and that torch is a CUDA build (`icelens doctor`)"
        )
    count = torch.cuda.device_count()
    if index is None:
        index = int(os.environ.get("LOCAL_RANK", "0"))
    if index >= count:
        raise IcelensError(
            f"device cuda:{index}: only {count} CUDA GPU(s) are visible, numbered from 0; "
            "choose another or start fewer processes"
        )
    return torch.device("cuda", index)


def _mps_device() -> torch.device:
    if not torch.backends.mps.is_available():
        raise IcelensError("device mps: no Apple GPU is visible; use --device cpu")
    return torch.device("mps")


def _choose_precision(name: str, device: torch.device) -> tuple[Precision, str]:
    if name == "float32":
        return "float32", "asked for"
    if name == "bfloat16":
        if device.type == "cuda" and not _cuda_has_bfloat16(device):
            raise IcelensError(f"{device} has no bfloat16 units; use --precision float32")
        return "bfloat16", "asked for"
    if name != "auto":
        raise IcelensError(f"precision {name!r} is unknown; expected auto, float32 or bfloat16")
    is_native: Callable[[torch.device], bool] = {
        "cuda": _cuda_has_bfloat16,
        "cpu": _cpu_has_bfloat16,
    }.get(device.type, lambda _: False)
    if is_native(device):
        return "bfloat16", "the device has bfloat16 units"
    return "float32", "bfloat16 would not be faster here"


def _cuda_has_bfloat16(device: torch.device) -> bool:
    # Ampere is 8.0; before it bfloat16 is emulated
    return torch.cuda.get_device_capability(device) >= (8, 0)


def _cpu_has_bfloat16(device: torch.device) -> bool:
    """Whether the processor multiplies bfloat16 itself, by the kernel's list of its abilities."""
    del device
    try:
        words = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return False
    return bool(words & {"avx512_bf16", "amx_bf16"})


def _available_bytes() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        kilobytes = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return int(kilobytes) * 1024
    except (OSError, StopIteration):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _control_group_bytes() -> int:
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        statistics = (group / "memory.stat").read_text().split()
        # files that were read lately count as used, but make room when asked
        reclaimable = int(statistics[statistics.index("inactive_file") + 1])
    except (OSError, ValueError):
        # no control group, or its limit reads "max"
        return 2**63 - 1
    return max(0, limit - used + reclaimable)
