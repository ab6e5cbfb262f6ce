"""`icelens serve`: open the workbench over a project."""

import argparse
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from icelens.apps import arguments
from icelens.core.errors import IcelensError
from icelens.jobs import registry

DESCRIPTION = (
    "Open the workbench over a project folder in the browser; the folder becomes a project if it "
    "is none. Jobs run on when the workbench is closed."
)
LOCAL = ("127.0.0.1", "localhost", "::1")
MOST_CONNECTIONS = 500
"""Of browsers, websockets among them; who comes then is told to wait."""
FLAGS = ("--host", "--port", "--root", "--name", "--read-only", "--help")


class AddressError(IcelensError):
    """An address the server cannot listen on."""


def main(words: Sequence[str]) -> int:
    """Serve until Ctrl-C."""
    given = _parse(words)
    import uvicorn

    from icelens.apps.web.access import Access
    from icelens.apps.web.app import create_app
    from icelens.apps.web.workbench import open_workbench
    from icelens.jobs.project.launch import ensure_dispatcher

    bench = open_workbench(given.folder, given.root, is_read_only=given.read_only)
    listening = _listen(given.host, given.port)
    port = listening.getsockname()[1]
    names = [given.host, *given.name]
    if given.host in (*LOCAL, "0.0.0.0", "::"):
        names += ["127.0.0.1", "localhost", "[::1]"]
    access = Access(port, tuple(dict.fromkeys(names)), given.read_only)
    shown = given.name[0] if given.name else "127.0.0.1" if given.host in LOCAL else given.host
    print(f"icelens workbench of {bench.project.folder}")
    if given.host not in LOCAL:
        print(
            f"warning: {given.host} can be reached from other machines; whoever has the link can "
            "run jobs and read files as you, and the connection is not encrypted",
            file=sys.stderr,
        )
    print(f"open {access.link(shown)}\nCtrl-C closes it; jobs run on.", flush=True)
    config = uvicorn.Config(
        create_app(bench, access),
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        ws_max_size=4096,
        ws="websockets-sansio",
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run(sockets=[listening])
    if not given.read_only:
        ensure_dispatcher(bench.project)  # what is queued goes on without a browser
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(128)
    except OSError as error:
        made.close()
        raise AddressError(
            f"{host}:{port}: cannot be used ({error.strerror}); choose another --port, or 0 for any"
        ) from error
    return made


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = arguments.Parser(
        prog="icelens serve",
        description=DESCRIPTION,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("folder", nargs="?", type=Path, default=Path(), help="of the project")
    add("--port", type=int, default=8642, metavar="N", help="to listen on; 0 takes any")
    add("--host", default="127.0.0.1", help="address to listen on; another is seen from outside")
    add(
        "--name", action="append", default=[], metavar="HOST",
        help="another name by which browsers reach this machine; may be repeated",
    )  # fmt: skip
    add(
        "--root", action="append", type=Path, default=[], metavar="FOLDER",
        help="another folder whose files may be seen and used; may be repeated",
    )  # fmt: skip
    add("--read-only", action="store_true", help="for looking only, to be shared")
    given, unknown = parser.parse_known_args(words)
    if unknown:
        hint = registry.did_you_mean(unknown[0], FLAGS)
        raise arguments.UsageError(f"{unknown[0]}: no such flag; {hint}")
    missing = [root for root in given.root if not root.is_dir()]
    if missing:
        raise arguments.UsageError(f"--root {missing[0]}: is no folder")
    if not 0 <= given.port <= 65535:
        raise arguments.UsageError(f"--port: found {given.port}, expected 0 to 65535")
    return given
