"""The one address that terminals fetch: the picture of an entry of their list.

A terminal has no user and can send no header, so there is no session here and no role: the
token in the path is the credential. It is signed, holds ten minutes, opens one picture for one
terminal, and stops opening it the moment its person withdraws. Fetches are not audited one by
one, since the batch that made the addresses is.
"""

import ipaddress

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from console.context import Rooms
from devices.lists import pictures
from storage.media import MediaNotFoundError

router = APIRouter(include_in_schema=False)

_NOTHING = {"Cache-Control": "no-store"}


@router.get("/t/{token}.jpg")
def picture(request: Request, token: str) -> Response:
    """A JPEG of at most 200 KB; 404 for whatever is not to be had, without saying why."""
    # Of every compound of this deployment: a terminal cannot say whose it is, its entry does.
    here: Rooms = request.app.state.rooms
    content = _content(here, token) if _is_near(request) else None
    if content is None:
        return PlainTextResponse("not found", 404, _NOTHING)
    return Response(content, media_type="image/jpeg", headers=_NOTHING)


def _content(here: Rooms, token: str) -> bytes | None:
    with here.database.read() as session:
        media_id = pictures.media_of(session, token, here.clock.now())
    if media_id is None:
        return None
    try:
        return pictures.for_terminal(here.media.get(media_id))
    except MediaNotFoundError:
        return None


def _is_near(request: Request) -> bool:
    """Faces are not given to the Internet, whoever has the address (人脸识别技术应用安全管理办法 art. 8)."""
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_private
    except ValueError:
        return False
