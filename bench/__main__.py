"""`python -m bench [NAMES] [--quick]`: measure, and print rows for RESULTS.md."""

import argparse
import importlib
import sys

from bench.command import CommandError
from bench.figure import Figure

MEASUREMENTS = {
    "startup": "icelens --help and what it imports",
    "steps": "CPU-seconds of refine and denoise steps",
    "pick_network": "CPU-seconds of pick's U-Net, training and forward, beside MONAI's",
    "pick_data": "CPU-seconds to cut training crops of pick from a large tomogram",
    "pick_segment": "voxels per CPU-second of pick segment; without --quick also its peak memory",
    "pick_localize": "CPU-seconds to find particles in class maps of a large tomogram",
    "pick_quality": "F4 of pick on simulated tomograms; learning curve without --quick",
    "pose_quality": "median angular error of pose on hidden particles, before and after refinement",
    "pose_speed": "images per CPU-second of pose: network, refinement, back-projection",
    "hetero_quality": "AUC-FSC, ARI and rank correlation of hetero on simulated sets, and floors",
    "hetero_speed": "images per CPU-second of a training step of hetero, seconds of a volume",
    "hetero_memory": "memory of 100,000 particles in training, and what reading from disk costs",
    "prediction": "voxels per CPU-second; without --quick also the peak memory of 512x512x200",
    "memory": "bytes per voxel of mask and deconvolution",
    "simulate": "CPU-seconds of the simulator",
    "quality": "FSC to simulated truth after the issue's commands",
    "web_jobs": "the workbench with 10,000 jobs: board, table, filter, JSON",
    "web_pages": "the workbench in a browser: first page, memory and CPU with 20 pages, a long log",
    "web_slices": "milliseconds to a plane of a 1000 x 1000 x 300 tomogram in the workbench",
    "web_kills": "50 jobs of the queue finished over 100 kills of the server",
    "web_latents": "frames per second of a million latents in Chromium, milliseconds of a lasso",
    "gpu": "unet-medium on a GPU; a large tomogram segmented; particles posed; epochs of hetero",
}
QUICKLY = ("startup", "steps", "prediction", "simulate")


def main() -> int:
    """Run the named measurements; without names those that take about a minute."""
    listing = "\n".join(f"  {name:14}{text}" for name, text in MEASUREMENTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog=f"measurements:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", choices=[[], *MEASUREMENTS], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="fewer repeats, smaller volumes")
    given = parser.parse_args()
    names = given.names or QUICKLY
    failed = False
    print("| what | figure | reference | reach |\n|---|---|---|---|")
    for name in names:
        try:
            figures: list[Figure] = importlib.import_module(f"bench.{name}").measure(
                quick=given.quick or not given.names
            )
        except CommandError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
            continue
        print("\n".join(figure.row() for figure in figures), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
