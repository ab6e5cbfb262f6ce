"""`icelens doctor`: what this machine can do, what icelens would use, what is missing."""

import argparse
import os
import platform
import re
import resource
import shutil
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from icelens.apps.dry_run import size
from icelens.core.errors import IcelensError
from icelens.jobs.provenance import memory_bytes, versions

FEW_FILES = 4096
"""Zarr stores and data loaders keep many files open; systems often allow only 1024."""
LITTLE_DISK = 10e9
"""One restored tomogram of 1000 x 1000 x 300 voxels takes 1.2 GB, a project several."""


def main(words: Sequence[str]) -> int:
    """Print the findings; 0 if icelens can work here."""
    parser = argparse.ArgumentParser(prog="icelens doctor", description=__doc__, allow_abbrev=False)
    parser.parse_args(words)
    problems = 0
    for name, finding, remedy in findings():
        print(f"{name:19} {finding}")
        if remedy:
            problems += 1
            print(f"{'':19} -> {remedy}")
    print(f"\n{_verdict(problems)}")
    return 0


def findings() -> Iterator[tuple[str, str, str]]:
    """Yield name, finding and remedy of each check; an empty remedy means all is well."""
    yield from _compute()
    yield "cores", str(os.cpu_count()), ""
    yield "memory", size(memory_bytes()), ""
    yield _open_files()
    yield _disk()
    yield "system", f"{platform.system()} {platform.release()} {platform.machine()}", ""
    for package, found in versions().items():
        remedy = f"python -m pip install {package}" if found == "not installed" else ""
        yield package, found, remedy
    yield from _extras()


def _compute() -> Iterator[tuple[str, str, str]]:
    """The device and precision that `auto` chooses, with the reason."""
    from icelens.training.device import choose_compute

    try:
        compute = choose_compute("auto", "auto", 0)
    except IcelensError as error:
        yield "device", "none", str(error)
        return
    yield "device", str(compute.device), ""
    yield "precision", compute.precision, ""
    yield "why", compute.reason, ""
    yield "threads", str(compute.threads), ""


def _open_files() -> tuple[str, str, str]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_unlimited = soft == resource.RLIM_INFINITY
    remedy = ""
    if not is_unlimited and soft < FEW_FILES:
        can_raise = hard == resource.RLIM_INFINITY or hard >= FEW_FILES
        remedy = f"ulimit -n {FEW_FILES}" if can_raise else "ask for a higher limit (ulimit -Hn)"
    return "open files", "unlimited" if is_unlimited else f"at most {soft}", remedy


def _disk() -> tuple[str, str, str]:
    free = shutil.disk_usage(Path()).free
    remedy = "" if free > LITTLE_DISK else "free some space, or work in another folder"
    return "free disk here", size(free), remedy


def _extras() -> Iterator[tuple[str, str, str]]:
    """Optional parts; a missing one is worth a line but is no problem."""
    for extra, packages in optional_packages().items():
        missing = [package for package in packages if not _is_installed(package)]
        state = f"missing {', '.join(missing)}: python -m pip install 'icelens[{extra}]'"
        yield f"extra [{extra}]", state if missing else "present", ""


def optional_packages() -> dict[str, list[str]]:
    """The packages of each optional extra, as icelens' own metadata lists them."""
    found: dict[str, list[str]] = {}
    try:
        requirements = requires("icelens") or []
    except PackageNotFoundError:  # run from a source tree that was never installed
        return found
    for requirement in requirements:
        name, _, marker = requirement.partition(";")
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", marker)
        package = re.match(r"[\w.-]+", name)
        if extra and package and package[0] != "icelens":
            found.setdefault(extra[1], []).append(package[0])
    return found


def _is_installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def _verdict(problems: int) -> str:
    if problems == 0:
        return "icelens can work here."
    return f"{problems} thing{'s' if problems > 1 else ''} to mend: follow the arrows."
