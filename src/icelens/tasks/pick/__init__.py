"""Pick: particles found in tomograms, from annotation to scored coordinates."""

ORDER = (
    "browse",
    "import",
    "import-picks",
    "import-segmentation",
    "import-octopi",
    "targets",
    "train",
    "segment",
    "localize",
    "evaluate",
    "export",
    "extract",
    "membrane",
    "cross-validate",
    "search",
)
"""The jobs as help lists them, in the order in which one meets them."""
