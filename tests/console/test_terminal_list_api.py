"""Lists of terminals over the API, and the one address that terminals fetch themselves."""

import datetime as dt

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from console.accounts.models import Role
from devices import enrolments
from devices.directory import facts_of
from devices.enrolments import TerminalEnrolment
from devices.lists import keeping, pictures
from devices.lists.models import Carries
from devices.models import Device, Stage
from privacy import erasures
from registry.faces import consents, templates
from registry.faces.templates import Embedding
from registry.models import Consent, ConsentPurpose, FaceTemplate, GivenBy, Person
from storage.audit import AuditRow

LOOK = {"purpose": "registry_maintenance"}


def photo(width: int = 1600, height: int = 1200) -> bytes:
    """Noise: what compresses worst."""
    noise = np.random.default_rng(7).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


@pytest.fixture
def terminal(world, database):
    with database.write() as session:
        row = session.get_one(Device, "cam-1")
        row.adapter, row.stage, row.enabled = "facesluice", Stage.APPROVED, True
    return "cam-1"


@pytest.fixture
def entry(terminal, database, media, clock):
    """Somebody with a face on a terminal that keeps faces; gives the address that it is told."""
    with database.write() as session:
        keeping.decide(
            session, facts_of(session, terminal), Carries.FACES, by="li", role="administrator", at=clock.now()
        )
        person = session.get_one(Person, "adult")
        session.query(FaceTemplate).filter_by(person="adult").delete()
        session.query(Consent).filter_by(person="adult").delete()
        consent = consents.give(
            session,
            person,
            ConsentPurpose.FACE_ACCESS,
            wording="I agree.",
            channel="counter",
            given_by=GivenBy.SELF,
            at=clock.now(),
        )
        stored = media.put(photo(), subject=consent.id)
        templates.enrol(
            session,
            person,
            Embedding("e", "1", 4, bytes(16), 0.9),
            media_id=stored.media_id,
            at=clock.now(),
        )
        row = enrolments.note(session, person.compound, terminal, "adult", face=True, at=clock.now())
        return pictures.address("http://console.test", row, clock.now())


async def test_terminal_fetches_the_picture_without_a_session(entry, anonymous):
    answer = await anonymous.get(entry)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.content) <= 200 * 1024
    shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert max(shown.shape) <= pictures.LONGEST_SIDE


async def test_address_says_nothing_of_anybody(entry, database):
    with database.read() as session:
        row = session.scalars(select(TerminalEnrolment)).one()
        for word in ("adult", row.ref, row.device):
            assert word not in entry


async def test_address_holds_ten_minutes(entry, anonymous, clock):
    clock.advance(minutes=9, seconds=59)
    assert (await anonymous.get(entry)).status_code == 200
    clock.advance(seconds=1)
    assert (await anonymous.get(entry)).status_code == 404


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_tampered_address_opens_nothing(entry, anonymous, part):
    head, _, token = entry.rpartition("/")
    pieces = token.removesuffix(".jpg").split("-")
    first = pieces[part][0]
    pieces[part] = ("0" if first != "0" else "1") + pieces[part][1:]
    assert (await anonymous.get(f"{head}/{'-'.join(pieces)}.jpg")).status_code == 404


@pytest.mark.parametrize("token", ["", "x", "0" * 32, f"{'0' * 32}-{'f' * 11}-{'0' * 64}", "..%2f..%2fetc"])
async def test_what_is_no_address_of_ours_is_not_found(anonymous, token):
    assert (await anonymous.get(f"/t/{token}.jpg")).status_code == 404


async def test_address_opens_nothing_from_the_internet(entry, browsers):
    assert (await browsers(address="8.8.8.8").get(entry)).status_code == 404


async def test_address_dies_with_the_consent(entry, anonymous, database, clock):
    with database.write() as session:
        person = session.get_one(Person, "adult")
        erasures.withdraw(session, person, ConsentPurpose.FACE_ACCESS, at=clock.now(), by="li")
    assert (await anonymous.get(entry)).status_code == 404


@pytest.mark.parametrize("change", ["stage", "carries", "order"])
async def test_address_dies_with_what_it_was_given_for(entry, anonymous, database, clock, change):
    with database.write() as session:
        if change == "stage":
            session.get_one(Device, "cam-1").stage = Stage.QUARANTINED
        elif change == "carries":
            device = facts_of(session, "cam-1")
            keeping.decide(session, device, Carries.CARDS, by="li", role="administrator", at=clock.now())
        else:
            row = session.scalars(select(TerminalEnrolment)).one()
            enrolments.order_deletion(session, row, cause="list", at=clock.now())
    assert (await anonymous.get(entry)).status_code == 404


def test_photo_that_cannot_be_read_is_no_picture():
    assert pictures.for_terminal(b"") is None
    assert pictures.for_terminal(b"\xff\xd8 no picture") is None


def test_what_a_phone_wrote_into_a_photo_stays_here():
    told = b"Exif\x00\x00 31.2304N 121.4737E"
    plain = photo(200, 100)
    marked = plain[:2] + b"\xff\xe1" + (len(told) + 2).to_bytes(2, "big") + told + plain[2:]
    assert told in marked
    assert b"31.2304N" not in pictures.for_terminal(marked)


async def test_manager_decides_and_operator_reads(terminal, signed_in, database, clock):
    manager, operator = signed_in(Role.PROPERTY_MANAGER), signed_in(Role.OPERATOR)
    assert (await operator.get("/api/v1/devices/cam-1/list", params=LOOK)).status_code == 404
    assert (await operator.put("/api/v1/devices/cam-1/list", json={"carries": "cards"})).status_code == 403
    answer = await manager.put("/api/v1/devices/cam-1/list", json={"carries": "cards"})
    assert answer.status_code == 204, answer.text
    with database.write() as session:
        row = enrolments.note(session, "honghua", "cam-1", "adult", face=False, at=clock.now())
        row.code, row.text, row.failures = "468", "no usable face in the picture", 2
    shown = (await operator.get("/api/v1/devices/cam-1/list", params=LOOK)).json()
    assert (shown["carries"], shown["confirmed"], shown["leaving"]) == ("cards", 0, 0)
    (refused,) = shown["refused"]
    assert (refused["holder"], refused["code"], refused["tries"]) == ("person:adult", "468", 2)
    resynced = await manager.post("/api/v1/devices/cam-1/list/resync")
    assert (resynced.status_code, resynced.json()) == (202, {"entries": 1})
    with database.read() as session:
        actions = session.scalars(select(AuditRow.action).where(AuditRow.subject == "device:cam-1")).all()
    assert actions == ["terminal_list.decided", "terminal_list.read", "terminal_list.decided"]


async def test_page_of_a_device_counts_and_names_nobody(terminal, signed_in, database, clock):
    operator = signed_in(Role.OPERATOR)
    assert "Person list" not in (await operator.get("/console/devices/cam-1")).text
    with database.write() as session:
        device = facts_of(session, "cam-1")
        keeping.decide(session, device, Carries.FACES, by="li", role="administrator", at=clock.now())
        row = enrolments.note(session, "honghua", "cam-1", "adult", face=False, at=clock.now())
        row.code, row.text, row.failures = "468", "no usable face in the picture", 2
    page = await operator.get("/console/devices/cam-1", headers={"Accept-Language": "en"})
    assert page.status_code == 200
    assert "Person list" in page.text
    assert "no usable face in the picture" in page.text
    assert row.ref not in page.text


@pytest.mark.parametrize("carries", ["everything", "undecided", ""])
async def test_list_of_faces_alone_or_of_anything_else_there_is_not(terminal, administrator, carries):
    answer = await administrator.put("/api/v1/devices/cam-1/list", json={"carries": carries})
    assert answer.status_code == 422


async def test_device_that_keeps_no_list_is_refused_one(terminal, administrator, database):
    with database.write() as session:
        session.get_one(Device, "cam-1").adapter = "zhenshi"
    answer = await administrator.put("/api/v1/devices/cam-1/list", json={"carries": "cards"})
    assert (answer.status_code, answer.json()["code"]) == (422, "command_unsupported")
    assert (await administrator.post("/api/v1/devices/cam-1/list/resync")).status_code == 422


async def test_device_of_nowhere_has_no_list(administrator, world):
    for method, path in (("GET", "list"), ("PUT", "list"), ("POST", "list/resync")):
        answer = await administrator.request(
            method,
            f"/api/v1/devices/none/{path}",
            params=LOOK if method == "GET" else None,
            json={"carries": "cards"} if method == "PUT" else None,
        )
        assert answer.status_code == 404


def test_address_for_terminals_is_in_the_compounds_own_network():
    from pydantic import ValidationError

    from ringward.settings import Settings

    for near in ("http://192.168.10.2:8080", "https://ringward.lan", "http://10.0.0.1/console"):
        assert Settings(terminal_url=near).terminal_url == near
    for far in ("http://8.8.8.8:8080", "https://1.1.1.1", "ftp://192.168.10.2", "http://a@10.0.0.1"):
        with pytest.raises(ValidationError):
            Settings(terminal_url=far)


def test_token_is_bound_to_its_entry_terminal_and_end():
    at = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
    one = TerminalEnrolment(id="a" * 32, device="cam-1", ref="r1")
    tokens = {pictures.token(one, at)}
    for changes in ({"device": "cam-2"}, {"ref": "r2"}, {"id": "b" * 32}):
        fields = {"id": "a" * 32, "device": "cam-1", "ref": "r1"} | changes
        tokens.add(pictures.token(TerminalEnrolment(**fields), at).rpartition("-")[2])
    tokens.add(pictures.token(one, at + dt.timedelta(seconds=1)).rpartition("-")[2])
    assert len(tokens) == 5
