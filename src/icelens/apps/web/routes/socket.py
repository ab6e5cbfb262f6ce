"""The websocket by which pages hear what changed."""

import asyncio

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from icelens.apps.web.workbench import workbench_of

router = APIRouter()


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """Say which jobs changed, as they do, until the page is closed."""
    bench = workbench_of(socket)
    if bench.live.is_full:
        await socket.close(1013)
        return
    await socket.accept()
    messages = bench.live.join()
    gone = asyncio.create_task(_until_closed(socket))
    try:
        while not gone.done():
            message = asyncio.create_task(messages.get())
            await asyncio.wait({message, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not message.done():
                message.cancel()
                break
            await socket.send_json(message.result())
    except (WebSocketDisconnect, RuntimeError):
        pass  # closed while a message was on its way
    finally:
        gone.cancel()
        bench.live.leave(messages)


async def _until_closed(socket: WebSocket) -> None:
    """Pages say nothing; whatever comes is dropped."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        continue
