"""The form on a device's page that says how it is looked at."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from console.accounts.models import User
from console.api import camera_views
from console.api.camera_views import ViewGiven, ViewView
from console.context import rooms
from console.pages.answers import said
from console.pages.devices import show
from console.permissions import Action, may
from console.problems import ProblemError

router = APIRouter(prefix="/console/devices")
Editor = Annotated[User, may(Action.DEVICES_EDIT)]

SIDES: Final = ("left", "top", "right", "bottom")
_OTHERS: Final = ("smallest_face_px", "policy", "low_score", "deadline_ms")


async def _fields(request: Request, _: Editor) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=20)
    return {name: str(form.get(name, "")).strip() for name in (*SIDES, *_OTHERS, "fpir_percent")}


@router.post("/{device_id}/view")
def change(
    request: Request, user: Editor, device_id: str, given: Annotated[dict[str, str], Depends(_fields)]
) -> Response:
    """Has the camera looked at otherwise."""

    def ask() -> ViewView:
        try:
            wanted = _wanted(given)
        except ValueError:
            raise ProblemError(422, "device_form", "The form is not filled in") from None
        return camera_views.change_view(rooms(request), user, device_id, wanted)

    made = said(ask)
    if made.refused is not None:
        return show(request, user, device_id, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/devices/{device_id}", 303)


def _wanted(given: dict[str, str]) -> ViewGiven:
    """People write shares in percent. Raises `ValueError`."""
    filled: dict[str, object] = {name: given[name] for name in _OTHERS if given[name]}
    if any(given[side] for side in SIDES):
        # A side that was left empty is the picture's own.
        whole = dict(zip(SIDES, ("0", "0", "100", "100"), strict=True))
        filled["region"] = [float(given[side] or whole[side]) / 100 for side in SIDES]
    if given["fpir_percent"]:
        filled["fpir"] = float(given["fpir_percent"]) / 100
    return ViewGiven.model_validate(filled)
