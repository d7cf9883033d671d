"""The device registry for an administrator: register, edit, put into service, renew secrets, retire.

A secret is in one answer and nowhere else; that is why these routes keep no answer for an
`Idempotency-Key`. A registration that is sent twice is refused the second time (device_exists).
"""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, FiniteFloat
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from console.accounts.models import User
from console.api.places import Here
from console.api.uploads import FORM
from console.permissions import Action, may
from console.problems import ProblemError
from devices import registration, stages
from devices.candidates import DeviceCandidate
from devices.credentials import Credential
from devices.directory import facts_of
from devices.models import Device, DeviceKind, Stage
from devices.observations import DeviceObservation
from devices.onboarding import Missing, Reason, next_stage
from devices.registration import Facts
from devices.rights import rights_of
from devices.stages import By
from registry.rows import find

router = APIRouter(tags=["devices"])
Editor = Annotated[User, may(Action.DEVICES_EDIT)]

Name = Annotated[str, Field(min_length=1, max_length=128)]
Short = Annotated[str, Field(min_length=1, max_length=64)]
Direction = Literal["in", "out"]
HeartbeatS = Annotated[int, Field(ge=5, le=3600)]
PHOTO_MAX = 8 * 1024 * 1024
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class CandidateView(BaseModel):
    """A sender that nobody has registered. `facts` are its own words and nothing more."""

    adapter: str
    gateway: str | None
    external_id: str
    first_seen: dt.datetime
    last_seen: dt.datetime
    count: int
    facts: dict[str, Any]


class Candidates(BaseModel):
    """The last one to speak first."""

    items: list[CandidateView]


class DeviceGiven(BaseModel):
    """What is not sent comes from the profile or the adapter; x and y are plan metres."""

    id: Short
    zone: Short
    kind: DeviceKind | None = None
    name: Name | None = None
    profile: Short | None = None
    adapter: Short | None = None
    external_id: Name | None = None
    gateway: Short | None = None
    lane: Short | None = None
    direction: Direction | None = None
    heartbeat_s: HeartbeatS | None = None
    vendor: Short | None = None
    model: Short | None = None
    gb28181_code: Annotated[str, Field(max_length=20)] | None = None
    shared_topics: bool | None = None
    x: FiniteFloat | None = None
    y: FiniteFloat | None = None


class DeviceChanged(BaseModel):
    """What is not sent stays. Another place, name or gateway puts the device into quarantine."""

    zone: Short = ""
    kind: DeviceKind = DeviceKind.SENSOR
    name: Name = ""
    adapter: Short = ""
    external_id: Name | None = None
    gateway: Short | None = None
    lane: Short | None = None
    direction: Direction | None = None
    heartbeat_s: HeartbeatS = 30
    vendor: Short | None = None
    model: Short | None = None
    gb28181_code: Annotated[str, Field(max_length=20)] | None = None
    shared_topics: bool = False
    enabled: bool = True
    x: FiniteFloat | None = None
    y: FiniteFloat | None = None


class CredentialView(BaseModel):
    """Shown this once. `publish` and `subscribe` are the MQTT filters that the user is let to.

    `user` and `secret` are None for a device that speaks through a gateway.
    """

    id: str
    user: str | None
    secret: str | None
    publish: list[str]
    subscribe: list[str]


class ShownView(BaseModel):
    """What a device has shown since it was put into quarantine; None is: not yet.

    `clock_offset_ms` is its clock minus ours. `walk_said` is what it said itself of the walk.
    """

    first_heard_at: dt.datetime | None = None
    last_heard_at: dt.datetime | None = None
    heartbeat_s: float | None = None
    types: dict[str, int] = {}
    picture_at: dt.datetime | None = None
    clock_offset_ms: int | None = None
    signed_in_at: dt.datetime | None = None
    walk_asked: str | None = None
    walk_asked_at: dt.datetime | None = None
    walk_heard_at: dt.datetime | None = None
    walk_heard_type: str | None = None
    walk_said: str | None = None
    facts: dict[str, Any] = {}


class OnboardingView(BaseModel):
    """How far a device is. `missing` stands between it and `next`; None: there is no next."""

    id: str
    stage: Stage
    reason: str | None
    next: Stage | None
    missing: list[Missing]
    tested_at: dt.datetime | None
    tested_by: str | None
    approved_at: dt.datetime | None
    approved_by: str | None
    sign_photo: str | None
    sign_checked_at: dt.datetime | None
    sign_checked_by: str | None
    privacy_checked_at: dt.datetime | None
    privacy_checked_by: str | None
    retired_at: dt.datetime | None
    publish: list[str]
    subscribe: list[str]
    shown: ShownView


class StageAsked(BaseModel):
    """`untested` approves without a test at the device; what the law asks is asked all the same."""

    to: Stage
    untested: bool = False


class SecretAsked(BaseModel):
    """How long the old secret works on; None: as the deployment's settings say. 0 replaces it at once."""

    overlap_minutes: Annotated[int, Field(ge=0, le=10080)] | None = None


class WalkAsked(BaseModel):
    """Which way somebody walks through now."""

    direction: Direction


@router.get("/devices/candidates")
def candidates(here: Here, _: Editor) -> Candidates:
    """Who spoke without being registered; of all compounds, since nobody knows whose it is."""
    with here.database.read() as session:
        rows = session.scalars(
            select(DeviceCandidate).order_by(DeviceCandidate.last_seen.desc()).limit(200)
        ).all()
        return Candidates(
            items=[
                CandidateView(
                    adapter=row.adapter,
                    gateway=row.gateway or None,
                    external_id=row.external_id,
                    first_seen=row.first_seen,
                    last_seen=row.last_seen,
                    count=row.count,
                    facts=row.facts,
                )
                for row in rows
            ]
        )


@router.post("/devices", status_code=201)
def register(here: Here, user: Editor, given: DeviceGiven) -> CredentialView:
    """Registers a device; it is in quarantine until it is tested and approved."""
    facts = given.model_dump(exclude={"id"})
    with here.database.write() as session:
        device, credential = registration.register(
            session, here.compound, given.id, Facts(**facts), here.clock.now(), _by(user)
        )
        return _credential(session, device, credential)


@router.patch("/devices/{device_id}")
def edit(here: Here, user: Editor, device_id: str, given: DeviceChanged) -> OnboardingView:
    """Changes what is registered."""
    with here.database.write() as session:
        device = _find(session, here.compound, device_id)
        changes = given.model_dump(exclude_unset=True)
        registration.edit(session, device, changes, here.clock.now(), _by(user))
        return onboarding_of(session, device)


@router.get("/devices/{device_id}/onboarding")
def onboarding(here: Here, _: Editor, device_id: str) -> OnboardingView:
    """What a device has shown, and what is missing for its next stage."""
    with here.database.read() as session:
        return onboarding_of(session, _find(session, here.compound, device_id))


@router.post("/devices/{device_id}/stage")
def move(here: Here, user: Editor, device_id: str, asked: StageAsked) -> OnboardingView:
    """Calls a device tested, approves it, or puts it back into quarantine.

    What it said in quarantine lies with the dead letters and can be replayed after the approval.
    """
    with here.database.write() as session:
        device, at, by = _find(session, here.compound, device_id), here.clock.now(), _by(user)
        stages.not_retired(device)
        if asked.to is Stage.QUARANTINED:
            stages.step_back(session, device, Reason.BY_HAND, at, by)
        elif asked.to is Stage.APPROVED and asked.untested:
            stages.approve_untested(session, device, at, by)
        else:
            stages.advance(session, device, asked.to, at, by)
        session.flush()
        return onboarding_of(session, device)


@router.post("/devices/{device_id}/walk")
def walk(here: Here, user: Editor, device_id: str, asked: WalkAsked) -> OnboardingView:
    """Begins the direction test: the device's next event within ten minutes answers for it."""
    with here.database.write() as session:
        device = _find(session, here.compound, device_id)
        stages.walk(session, device, asked.direction, here.clock.now(), _by(user))
        return onboarding_of(session, device)


async def _photo(request: Request, _: Editor) -> bytes:
    """The picture in the field `file`, read only after the role was checked."""
    form = await request.form(max_files=1, max_fields=4)
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise ProblemError(422, "file_missing", "The form has no file in its field `file`")
    return as_photo(await file.read(PHOTO_MAX + 1))


def as_photo(content: bytes) -> bytes:
    """The bytes of a picture that a browser can show. Raises `ProblemError` for others."""
    if len(content) > PHOTO_MAX or not content.startswith(_PICTURES):
        raise ProblemError(422, "no_picture", "A JPEG or PNG of at most 8 MB is expected")
    return content


@router.post("/devices/{device_id}/sign-photo", openapi_extra=FORM)
def sign_photo(
    here: Here, user: Editor, device_id: str, content: Annotated[bytes, Depends(_photo)]
) -> OnboardingView:
    """Takes the photo of the sign beside a camera (提示标识); its picture is at `/media/{sign_photo}`."""
    with here.database.read() as session:
        _find(session, here.compound, device_id)
    media_id = here.media.put(content).media_id
    with here.database.write() as session:
        device = _find(session, here.compound, device_id)
        stages.sign_seen(session, device, media_id, here.clock.now(), _by(user))
        return onboarding_of(session, device)


@router.post("/devices/{device_id}/privacy-check")
def privacy_check(here: Here, user: Editor, device_id: str) -> OnboardingView:
    """The user has looked through the device: no dwelling, toilet or changing room is in view."""
    with here.database.write() as session:
        device = _find(session, here.compound, device_id)
        stages.privacy_seen(session, device, here.clock.now(), _by(user))
        return onboarding_of(session, device)


@router.post("/devices/{device_id}/secret")
def renew_secret(here: Here, user: Editor, device_id: str, asked: SecretAsked) -> CredentialView:
    """A new secret; with an overlap it comes with a new user name, and the old pair works on."""
    minutes = asked.overlap_minutes
    overlap = here.secret_overlap if minutes is None else dt.timedelta(minutes=minutes)
    with here.database.write() as session:
        device = _find(session, here.compound, device_id)
        credential = registration.renew_secret(session, device, overlap, here.clock.now(), _by(user))
        return _credential(session, device, credential)


@router.post("/devices/{device_id}/retirement")
def retire(here: Here, user: Editor, device_id: str) -> OnboardingView:
    """Takes a device out of service for good; its events stay."""
    with here.database.write() as session:
        device = _find(session, here.compound, device_id)
        registration.retire(session, device, here.clock.now(), _by(user))
        session.flush()
        return onboarding_of(session, device)


def onboarding_of(session: Session, device: Device) -> OnboardingView:
    """How far a device is, for the API and for its page."""
    session.flush()
    facts = facts_of(session, device.id)
    assert facts is not None
    rights = rights_of(facts)
    row = session.get(DeviceObservation, device.id)
    shown = (
        ShownView()
        if row is None
        else ShownView(**{name: getattr(row, name) for name in ShownView.model_fields})
    )
    retired = device.retired_at is not None
    return OnboardingView(
        id=device.id,
        stage=device.stage,
        reason=device.stage_reason,
        next=None if retired else next_stage(device.stage),
        missing=[] if retired else list(stages.lacking(session, device)),
        tested_at=device.tested_at,
        tested_by=device.tested_by,
        approved_at=device.approved_at,
        approved_by=device.approved_by,
        sign_photo=device.sign_photo,
        sign_checked_at=device.sign_checked_at,
        sign_checked_by=device.sign_checked_by,
        privacy_checked_at=device.privacy_checked_at,
        privacy_checked_by=device.privacy_checked_by,
        retired_at=device.retired_at,
        publish=list(rights.publish),
        subscribe=list(rights.subscribe),
        shown=shown,
    )


def _find(session: Session, compound: str, device_id: str) -> Device:
    return find(session, Device, compound, device_id, "device")


def _by(user: User) -> By:
    return By(user.id, str(user.role))


def _credential(session: Session, device: Device, given: Credential | None) -> CredentialView:
    session.flush()
    facts = facts_of(session, device.id)
    assert facts is not None
    rights = rights_of(facts)
    return CredentialView(
        id=device.id,
        user=given.user if given else None,
        secret=given.secret if given else None,
        publish=list(rights.publish),
        subscribe=list(rights.subscribe),
    )
