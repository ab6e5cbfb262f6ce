"""Mistakes that icelens can explain: one line with what was found, what was expected, what to do.

The command line prints the message alone and exits with 2; a traceback means a bug of ours.
"""


class IcelensError(Exception):
    """A problem the user can mend; the message names the file, the finding and the remedy."""


class InputFileError(IcelensError):
    """A file is missing, empty, truncated, or not of the format it should be."""


class MissingStackError(InputFileError):
    """A stack of images that a particle file names does not exist, or not yet."""


class MetadataError(IcelensError):
    """A table or header says something missing, impossible or contradictory."""


class GeometryError(IcelensError):
    """Shapes, boxes or positions that do not fit together."""


class CheckpointError(IcelensError):
    """A checkpoint that is damaged, unsafe, or made for other data."""


class RunLockedError(IcelensError):
    """Another process is using the file or the run folder."""


class StoppedEarly(Exception):
    """The time limit was reached; what was done is saved and can be resumed."""
