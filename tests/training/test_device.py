import subprocess
import sys
from pathlib import Path

import pytest
import torch

from icelens.core.errors import IcelensError
from icelens.training.device import (
    Compute,
    autocast,
    choose_compute,
    keep_freed_memory,
    memory_bytes,
)

SOURCE = Path(__file__).parents[2] / "src"
PAGE_FAULTS = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from icelens.training.device import choose_compute, keep_freed_memory
if sys.argv[2] == "keep" and not keep_freed_memory(choose_compute("cpu")):
    sys.exit("no glibc")
first = np.arange(10_000_000.0)
total = first.sum()
del first
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
again = np.arange(10_000_000.0)
assert again.sum() == total
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(choice: str) -> int:
    # in a process of its own, as the setting cannot be undone
    command = [sys.executable, "-c", PAGE_FAULTS, str(SOURCE), choice]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "no glibc" in done.stderr:
        pytest.skip("this system's C library is not glibc, so nothing changes")
    return int(done.stdout)


def test_a_large_block_is_mapped_once_and_computes_the_same():
    # 80 MB are 19,500 pages of 4 kB, fewer where the system gives huge ones
    assert page_faults("keep") < 0.1 * page_faults("return") + 5


def test_memory_is_left_to_the_system_where_a_gpu_computes():
    assert not keep_freed_memory(Compute(torch.device("cuda"), "float32", 1, "test"))


def test_cpu_is_available_and_the_reason_is_told():
    compute = choose_compute("cpu")
    assert compute.device == torch.device("cpu")
    assert compute.reason.startswith("cpu: asked for; ")
    assert compute.threads == torch.get_num_threads()


def test_number_of_threads_is_taken_over():
    assert choose_compute("cpu", threads=3).threads == 3


@pytest.mark.parametrize(
    ("flags", "precision"),
    [("fpu avx512_bf16", "bfloat16"), ("amx_bf16", "bfloat16"), ("avx512f", "float32")],
)
def test_cpu_computes_in_bfloat16_only_where_the_processor_can(monkeypatch, flags, precision):
    monkeypatch.setattr(Path, "read_text", lambda path: f"flags\t: {flags}\n")
    assert choose_compute("cpu").precision == precision


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA GPU is there")
def test_missing_gpu_is_an_error_with_a_remedy():
    with pytest.raises(IcelensError, match=r"no CUDA GPU is visible; use --device cpu"):
        choose_compute("cuda")


@pytest.mark.parametrize("name", ["gpu7", "xla", "cpu:x"])
def test_unknown_device_names_the_choices(name):
    with pytest.raises(IcelensError, match="auto, cpu, cuda"):
        choose_compute(name)


def test_unknown_precision_names_the_choices():
    with pytest.raises(IcelensError, match="expected auto, float32 or bfloat16"):
        choose_compute("cpu", "float16")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_autocast_computes_in_the_chosen_precision(precision):
    with autocast(Compute(torch.device("cpu"), precision, 1, "test")):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == getattr(torch, precision)


def test_free_memory_is_a_plausible_number_of_bytes():
    assert 2**24 < memory_bytes(torch.device("cpu")) < 2**50


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
def test_cuda_is_preferred_and_its_memory_known():
    compute = choose_compute()
    assert compute.device.type == "cuda"
    assert memory_bytes(compute.device) > 2**28
