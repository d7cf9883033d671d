"""Devices are put into service: who spoke unasked, what is registered, what is missing, who approves."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from console.accounts.models import User
from console.api import device_registry
from console.api.device_registry import (
    PHOTO_MAX,
    CredentialView,
    DeviceChanged,
    DeviceGiven,
    SecretAsked,
    StageAsked,
    WalkAsked,
    as_photo,
)
from console.context import rooms
from console.pages.answers import Said, said
from console.pages.devices import show
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import ProblemError
from devices.adapters import ADAPTERS
from devices.models import Device, DeviceKind, Stage
from devices.profiles import profiles
from registry.models import Zone

router = APIRouter(prefix="/console/devices")
Editor = Annotated[User, may(Action.DEVICES_EDIT)]

_FORM: Final = (
    "id", "name", "zone", "profile", "kind", "adapter", "external_id", "gateway", "lane", "direction",
    "vendor", "model", "gb28181_code",
)  # fmt: skip
# What a candidate fills in by itself.
_OF_CANDIDATE: Final = ("adapter", "external_id", "gateway")


@router.get("/new")
def candidates(
    request: Request,
    user: Editor,
    adapter: Annotated[str, Query(max_length=32)] = "",
    external_id: Annotated[str, Query(max_length=128)] = "",
    gateway: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Who spoke without being registered, and the form for a new device."""
    given = {"adapter": adapter, "external_id": external_id, "gateway": gateway}
    return _form(request, user, given)


async def _fields(request: Request, _: Editor) -> dict[str, str]:
    form = await request.form(max_files=0, max_fields=30)
    return {name: str(form.get(name, "")).strip() for name in (*_FORM, "shared_topics")}


@router.post("/new")
def register(request: Request, user: Editor, given: Annotated[dict[str, str], Depends(_fields)]) -> Response:
    """Registers a device; its secret stands on the page that answers, and nowhere else."""
    filled = {name: value for name, value in given.items() if value}

    def ask() -> CredentialView:
        try:
            wanted = DeviceGiven.model_validate(filled)
        except ValueError:
            raise ProblemError(422, "device_form", "The form is not filled in") from None
        return device_registry.register(rooms(request), user, wanted)

    made = said(ask)
    if made.answer is None:
        return _form(request, user, given, refused=made.refused, status=made.status)
    return _issued(request, made.answer)


@router.post("/{device_id}/stage")
def move(
    request: Request,
    user: Editor,
    device_id: str,
    to: Annotated[Stage, Form()],
    untested: Annotated[bool, Form()] = False,
) -> Response:
    """Tested, approved, or back into quarantine."""
    asked = StageAsked(to=to, untested=untested)
    return _back(
        request, user, device_id, said(lambda: device_registry.move(rooms(request), user, device_id, asked))
    )


@router.post("/{device_id}/walk")
def walk(
    request: Request, user: Editor, device_id: str, direction: Annotated[str, Form(pattern="^(in|out)$")]
) -> Response:
    """Begins the direction test."""
    asked = WalkAsked.model_validate({"direction": direction})
    return _back(
        request, user, device_id, said(lambda: device_registry.walk(rooms(request), user, device_id, asked))
    )


@router.post("/{device_id}/direction")
def direction(
    request: Request, user: Editor, device_id: str, direction: Annotated[str, Form(pattern="^(in|out)$")]
) -> Response:
    """What passing this device means where it does not say so itself."""
    asked = DeviceChanged.model_validate({"direction": direction})
    return _back(
        request, user, device_id, said(lambda: device_registry.edit(rooms(request), user, device_id, asked))
    )


@router.post("/{device_id}/sign-photo")
def sign_photo(
    request: Request, user: Editor, device_id: str, file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Takes the photo of the sign beside a camera."""

    def ask() -> object:
        content = as_photo(b"" if file is None else file.file.read(PHOTO_MAX + 1))
        return device_registry.sign_photo(rooms(request), user, device_id, content)

    return _back(request, user, device_id, said(ask))


@router.post("/{device_id}/privacy-check")
def privacy_check(request: Request, user: Editor, device_id: str) -> Response:
    """The user has looked through the device."""
    return _back(
        request, user, device_id, said(lambda: device_registry.privacy_check(rooms(request), user, device_id))
    )


@router.post("/{device_id}/secret")
def renew_secret(
    request: Request, user: Editor, device_id: str, at_once: Annotated[bool, Form()] = False
) -> Response:
    """A new secret, shown on the page that answers."""
    asked = SecretAsked(overlap_minutes=0 if at_once else None)
    made = said(lambda: device_registry.renew_secret(rooms(request), user, device_id, asked))
    return _back(request, user, device_id, made) if made.answer is None else _issued(request, made.answer)


@router.post("/{device_id}/retirement")
def retire(request: Request, user: Editor, device_id: str) -> Response:
    """Out of service for good."""
    return _back(
        request, user, device_id, said(lambda: device_registry.retire(rooms(request), user, device_id))
    )


def _back(request: Request, user: User, device_id: str, made: Said[Any]) -> Response:
    if made.refused is not None:
        return show(request, user, device_id, refused=made.refused, status=made.status)
    return RedirectResponse(f"/console/devices/{device_id}", 303)


def _issued(request: Request, credential: CredentialView) -> Response:
    answer = render(frame(request), "device_secret.html", credential=credential)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _form(
    request: Request,
    user: User,
    given: dict[str, str],
    *,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    here = rooms(request)
    found = device_registry.candidates(here, user).items
    with here.database.read() as session:
        zones = session.scalars(select(Zone).where(Zone.compound == here.compound).order_by(Zone.name)).all()
        rows = session.scalars(
            select(Device).where(Device.compound == here.compound, Device.retired_at.is_(None))
        ).all()
        return render(
            frame(request),
            "device_new.html",
            status=status,
            candidates=found,
            given={name: given.get(name, "") for name in _FORM},
            from_candidate=any(given.get(name) for name in _OF_CANDIDATE),
            zones=zones,
            kinds=list(DeviceKind),
            profiles=list(profiles().values()),
            adapters=sorted(ADAPTERS.values(), key=lambda one: one.title),
            gateways=[row for row in rows if row.adapter in ADAPTERS and ADAPTERS[row.adapter].gateway],
            refused=refused,
        )
