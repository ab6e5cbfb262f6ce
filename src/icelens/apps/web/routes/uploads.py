"""Take files that are dropped on a page."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.requests import ClientDisconnect, Request

from icelens.apps.web.files.uploads import UPLOADS_NAME, UploadError, keep_upload
from icelens.apps.web.workbench import Bench

router = APIRouter()


class UploadAnswer(BaseModel):
    """Where a file lies now."""

    path: str
    name: str
    size: int


@router.put("/api/uploads/{name}", status_code=201)
async def upload(
    request: Request, bench: Bench, name: Annotated[str, Path(min_length=1, max_length=255)]
) -> UploadAnswer:
    """Keep the body of the request as a file in `uploads`; a name that is taken gets a number."""
    announced = request.headers.get("content-length", "0")
    expected = int(announced) if announced.isdigit() else 0
    folder = bench.project.folder / UPLOADS_NAME
    if not bench.roots.contains(folder.resolve()):
        raise UploadError(f"{UPLOADS_NAME}: leads out of the project; make it a folder")
    try:
        kept = await keep_upload(folder, name, request.stream(), expected)
    except ClientDisconnect as error:
        raise UploadError(f"{name:.80}: the connection broke; send it again") from error
    return UploadAnswer(path=bench.roots.shown(kept), name=kept.name, size=kept.stat().st_size)
