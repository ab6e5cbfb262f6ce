"""A file as an answer: what was opened was checked, and nothing put in its place is sent."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from icelens.apps.web.roots import Roots

_OPENED = Path("/dev/fd")
"""Where a process finds the files that it has open."""


class ServedFile(FileResponse):
    """A plain file below a root, held open from the check to its last byte."""

    def __init__(
        self,
        roots: Roots,
        text: str,
        media_type: str,
        headers: Mapping[str, str],
        disposition: Literal["inline", "attachment"] | None = None,
    ) -> None:
        """Open a file.

        Args:
            roots: Where it must lie.
            text: What the browser calls it.
            media_type: As what it is sent.
            headers: Of the answer.
            disposition: Whether the browser shows or keeps it under its name; None without a name.

        Raises:
            OutsideRootsError: If it lies elsewhere.
            HTTPException: If it does not exist, is no plain file or may not be read.
        """
        path = roots.resolve(text)
        missing = HTTPException(404, f"{text:.400}: does not exist, or is no file")
        try:
            # a link that came since is not followed, and a pipe not waited for
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except (OSError, ValueError) as error:
            raise missing from error
        self._handle = handle
        try:
            about = os.fstat(handle)
            # a folder above it may have become a link, too
            if not stat.S_ISREG(about.st_mode) or not roots.contains(_place(handle, path)):
                raise missing
            super().__init__(
                _OPENED / str(handle),
                media_type=media_type,
                headers=headers,
                filename=path.name if disposition else None,
                content_disposition_type=disposition or "inline",
                stat_result=about,
            )
        except BaseException:
            os.close(handle)
            raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            os.close(self._handle)


def _place(handle: int, path: Path) -> Path:
    """Where what was opened lies; where the system does not tell, where it was looked for."""
    try:
        return Path(f"/proc/self/fd/{handle}").readlink()
    except OSError:
        return path.resolve()
