"""Pictures. Each view is audited; a volunteer's task never needs one (L-20)."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from console.accounts.models import User
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.permissions import Action, may

router = APIRouter(tags=["media"])
Viewer = Annotated[User, may(Action.MEDIA_VIEW)]

_MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


@router.get("/media/{media_id}", response_class=Response)
def picture(
    here: Here,
    user: Viewer,
    media_id: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
    purpose: Purpose = Purpose.INCIDENT_HANDLING,
) -> Response:
    """The bytes of a picture; what is neither JPEG nor PNG is only offered as a download."""
    content = here.media.get(media_id)
    with here.database.write() as session:
        note_look(session, here.clock.now(), user, Look("media.viewed", purpose, f"media:{media_id}"))
    kind = next((kind for magic, kind in _MAGIC.items() if content.startswith(magic)), None)
    headers = {"Cache-Control": "private, no-store"}
    if kind is None:
        # A device chose these bytes: the browser must not find a page or a script in them.
        headers["Content-Disposition"] = "attachment"
    return Response(content, media_type=kind or "application/octet-stream", headers=headers)
