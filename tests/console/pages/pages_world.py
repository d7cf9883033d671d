"""A compound at night with something in every ring, as the operator's page would find it."""

import datetime as dt

import pages_history
import pages_registry
from pages_history import COMPOUND
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Shift, Team, TeamKind
from console.accounts.models import Role, User
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from registry import lookups
from registry.faces import consents
from registry.faces.templates import Embedding, enrol
from registry.models import (
    Building,
    Compound,
    ConsentPurpose,
    GivenBy,
    Household,
    Person,
    Ring,
    WatchlistEntry,
    Zone,
)
from storage import Database, MediaStore

HASH = "$argon2id$none"

ZONES = [
    ("gate-east", "东门", Ring.ENTRANCE, "gate", [[188, 52], [204, 52], [204, 78], [188, 78]]),
    ("gate-north", "北门车行道", Ring.ENTRANCE, "gate", [[84, -6], [116, -6], [116, 10], [84, 10]]),
    ("garden", "中心花园", Ring.COMMON, "garden", [[60, 40], [140, 40], [140, 88], [60, 88]]),
    ("sheds", "自行车棚", Ring.COMMON, "bike_shed", [[8, 44], [44, 44], [44, 86], [8, 86]]),
    ("b1", "1幢", Ring.BUILDING, "building", [[8, 12], [58, 12], [58, 34], [8, 34]]),
    ("b2", "2幢", Ring.BUILDING, "building", [[136, 12], [188, 12], [188, 34], [136, 34]]),
    ("b3", "3幢", Ring.BUILDING, "building", [[8, 96], [58, 96], [58, 120], [8, 120]]),
    ("b4", "4幢", Ring.BUILDING, "building", [[74, 96], [126, 96], [126, 120], [74, 120]]),
    ("b5", "5幢", Ring.BUILDING, "building", [[140, 96], [190, 96], [190, 120], [140, 120]]),
]

DEVICES: list[tuple[str, str, str, DeviceKind, float | None, float | None, bool | None]] = [
    ("cam-east", "东门人脸机", "gate-east", DeviceKind.FACE_CAMERA, 196, 58, True),
    ("turn-east", "东门闸机", "gate-east", DeviceKind.TURNSTILE, 196, 70, True),
    ("cam-north", "北门车牌机", "gate-north", DeviceKind.PLATE_CAMERA, 94, 2, True),
    ("bar-north", "北门道闸", "gate-north", DeviceKind.BARRIER, 106, 2, True),
    ("cam-garden", "花园球机", "garden", DeviceKind.SCENE_CAMERA, 100, 74, True),
    ("cam-sheds", "车棚摄像机", "sheds", DeviceKind.SCENE_CAMERA, 26, 74, False),
    ("door-1", "1幢单元门", "b1", DeviceKind.DOOR, 34, 34, True),
    ("door-2", "2幢单元门", "b2", DeviceKind.DOOR, 160, 34, True),
    ("door-3", "3幢单元门", "b3", DeviceKind.DOOR, 34, 96, True),
    ("door-4", "4幢单元门", "b4", DeviceKind.DOOR, 100, 96, None),
]


def places(session: Session, at: dt.datetime, name: str = "红花小区") -> None:
    session.add(Compound(id=COMPOUND, name=name, time_zone="Asia/Shanghai"))
    session.flush()
    for zone, title, ring, kind, outline in ZONES:
        session.add(Zone(id=zone, compound=COMPOUND, name=title, ring=ring, kind=kind, outline=outline))
    session.flush()
    for zone, title, ring, _, outline in ZONES:
        if ring == Ring.BUILDING:
            (x, y), (right, bottom) = outline[0], outline[2]
            session.add(
                Building(
                    id=f"house-{zone}",
                    compound=COMPOUND,
                    zone=zone,
                    name=title,
                    x=x + 5,
                    y=y + 4,
                    width=right - x - 10,
                    height=bottom - y - 8,
                )
            )
    for device, title, zone, kind, x, y, online in DEVICES:
        session.add(
            Device(
                id=device,
                compound=COMPOUND,
                zone=zone,
                kind=kind,
                name=title,
                lane=f"lane-{device.split('-')[1]}",
                direction="in",
                secret_hash="$2b$x",
                stage=Stage.APPROVED,
                x=x,
                y=y,
            )
        )
        session.flush()
        if online is not None:
            seen = at - dt.timedelta(seconds=9 if online else 400)
            session.add(
                DeviceStatus(device_id=device, online=online, since=seen, last_seen=seen, clock_offset_ms=120)
            )


def people(session: Session, media: MediaStore, at: dt.datetime, portrait: bytes) -> None:
    session.add(Household(id="h-1", compound=COMPOUND))
    session.flush()
    person = Person(id="p-1", compound=COMPOUND, household="h-1")
    silent = Person(id="p-2", compound=COMPOUND, household="h-1")
    lookups.identify(person, name="张三丰", phone="10012345678")
    lookups.identify(silent, name="李不愿")
    session.add_all([person, silent])
    session.flush()
    consents.give(
        session,
        person,
        ConsentPurpose.FACE_ACCESS,
        wording="…",
        channel="paper",
        given_by=GivenBy.SELF,
        at=at - dt.timedelta(days=90),
    )
    picture = media.put(portrait)
    embedding = Embedding("dlib", "19.24", 128, b"\0" * 512, 0.82)
    enrol(session, person, embedding, media_id=picture.media_id, at=at - dt.timedelta(days=80))
    session.add(
        WatchlistEntry(
            id="w-7",
            compound=COMPOUND,
            subject_kind="person",
            subject="p-1",
            legal_basis="court_order",
            document_no="(2026)云01号",
            applicant="officer-a",
            approver="officer-b",
            reason="order",
            rings=["entrance", "common"],
            starts_at=at - dt.timedelta(days=5),
            ends_at=at + dt.timedelta(days=25),
        )
    )


def responders(session: Session, at: dt.datetime) -> None:
    session.add(Team(id="t-vol", compound=COMPOUND, name="红花义警队", kind=TeamKind.VOLUNTEER_POLICE))
    session.add(Team(id="t-guard", compound=COMPOUND, name="保安班", kind=TeamKind.GUARD))
    session.flush()
    for responder, team, name, post in (
        ("r-li", "t-vol", "李队员", "gate-east"),
        ("r-wang", "t-vol", "王队员", "garden"),
        ("r-zhao", "t-guard", "赵保安", "gate-north"),
    ):
        session.add(Responder(id=responder, team=team, name=name, post=post))
        session.flush()
        session.add(
            Shift(
                id=f"s-{responder}",
                responder=responder,
                starts_at=at - dt.timedelta(hours=2),
                ends_at=at + dt.timedelta(hours=6),
            )
        )


def users(session: Session, at: dt.datetime) -> None:
    for user, role, responder, person in (
        ("operator", Role.OPERATOR, None, None),
        ("li", Role.VOLUNTEER, "r-li", None),
        ("wang", Role.VOLUNTEER, "r-wang", None),
        ("admin", Role.ADMINISTRATOR, None, None),
        ("manager", Role.PROPERTY_MANAGER, None, None),
        ("guard", Role.GUARD, "r-zhao", None),
        ("grid", Role.GRID_WORKER, None, None),
        ("police", Role.POLICE, None, None),
        ("auditor", Role.AUDITOR, None, None),
        ("resident", Role.RESIDENT, None, "p-1"),
        ("newcomer", Role.RESIDENT, None, None),
    ):
        session.add(
            User(
                id=f"u-{user}",
                name=user,
                password_hash=HASH,
                role=role,
                responder_id=responder,
                person_id=person,
                created_at=at,
            )
        )


def build(database: Database, media: MediaStore, at: dt.datetime, probe: bytes, portrait: bytes) -> None:
    """Fills an empty database; the pictures are the caller's."""
    with database.write() as session:
        places(session, at)
        people(session, media, at, portrait)
        responders(session, at)
        users(session, at)
        session.flush()
        pages_registry.homes(session, at)
        pages_history.incidents(session, media, at, probe)
        pages_history.letters(session, at)
