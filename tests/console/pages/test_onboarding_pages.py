"""An administrator puts a device into service on its page."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page

from console.context import Rooms
from devices import candidates, observations
from devices.models import Device, DeviceKind, Stage
from devices.observations import Heard
from registry.models import Zone

Visit = Callable[..., TestClient]
JPEG = b"\xff\xd8\xff\xe0 a sign \xff\xd9"
NEW = "/console/devices/new"


@pytest.fixture
def zone(seeded: Rooms) -> str:
    with seeded.database.read() as session:
        return session.query(Zone).filter(Zone.compound == seeded.compound).first().id


def register(client: TestClient, zone: str, **more: str) -> str:
    form = {
        "id": "new-1",
        "name": "东门摄像头",
        "zone": zone,
        "kind": "face_camera",
        "lane": "l",
        "direction": "in",
    }
    answer = client.post(NEW, data=form | more)
    assert answer.status_code == 200, answer.text
    return answer.text


def hear(rooms: Rooms, **more: object) -> None:
    said = {"sign_of_life": True, "proved": True, "picture": True} | more
    with rooms.database.write() as session:
        observations.observed(session, [Heard("new-1", rooms.clock.now(), **said)])


def stage(rooms: Rooms) -> str:
    with rooms.database.read() as session:
        return str(session.get_one(Device, "new-1").stage)


def test_camera_goes_from_the_form_to_approval(visit: Visit, seeded: Rooms, zone: str) -> None:
    client = visit("admin", "en")
    made = register(client, zone)
    secret = re.search(r'id="secret">([^<]+)<', made)
    assert secret
    page = "/console/devices/new-1"
    assert secret[1] not in client.get(page).text
    assert "Nothing was heard of it" in client.get(page).text
    client.post(f"{page}/walk", data={"direction": "in"})
    hear(seeded, directions=(("face.captured", None),))
    assert "Nothing is missing for the next step" in client.get(page).text
    client.post(f"{page}/stage", data={"to": "tested"})
    assert "A photo of the sign beside it is missing" in client.get(page).text
    early = client.post(f"{page}/stage", data={"to": "approved"})
    assert (early.status_code, stage(seeded)) == (409, Stage.TESTED)
    assert "Something is still missing" in early.text
    assert client.post(f"{page}/sign-photo", files={"file": JPEG}).status_code == 303
    client.post(f"{page}/privacy-check")
    client.post(f"{page}/stage", data={"to": "approved"})
    assert stage(seeded) == Stage.APPROVED


def test_device_that_says_the_other_way_can_be_registered_so(visit: Visit, seeded: Rooms, zone: str) -> None:
    client = visit("admin", "en")
    register(client, zone, direction="")
    client.post("/console/devices/new-1/walk", data={"direction": "in"})
    hear(seeded, directions=(("face.captured", None),))
    assert "it said the other way, or nothing" in client.get("/console/devices/new-1").text
    client.post("/console/devices/new-1/direction", data={"direction": "in"})
    assert "Nothing is missing for the next step" in client.get("/console/devices/new-1").text


def test_candidate_fills_the_form(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        candidates.note(
            session, "facesluice", None, '1"<b>', seeded.clock.now(), {"name": "<script>alert(1)</script>"}
        )
    client = visit("admin", "en")
    assert "1 unregistered" in client.get("/console/devices").text
    listed = client.get(NEW).text
    assert "<script>alert" not in listed
    link = re.search(r'href="(\?adapter=[^"]+)"', listed)
    assert link
    filled = client.get(NEW + link[1].replace("&amp;", "&")).text
    assert 'value="1&#34;&lt;b&gt;"' in filled
    assert re.search(r'<option value="facesluice" selected>', filled)


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"id": "a b"}, "An id has 1 to 64 letters"),
        ({"gb28181_code": "53050201019990000017"}, "That is no GB/T 28181 code"),
        ({"kind": ""}, "Say what it is, or choose a profile"),
        ({"kind": "nothing"}, "A field holds what it cannot hold"),
    ],
)
def test_form_that_is_refused_says_why_and_keeps_what_was_typed(
    visit: Visit, zone: str, form: dict[str, str], shown: str
) -> None:
    given = {"id": "new-1", "name": "东门", "zone": zone, "kind": "door"} | form
    answer = visit("admin", "en").post(NEW, data=given)
    assert answer.status_code in {409, 422}
    assert shown in answer.text
    assert 'value="东门"' in answer.text


def test_operator_sees_the_stage_and_no_button(visit: Visit, seeded: Rooms, zone: str) -> None:
    register(visit("admin"), zone)
    operator = visit("operator", "en")
    page = operator.get("/console/devices/new-1").text
    assert "in quarantine" in page
    assert 'id="onboarding"' not in page
    assert operator.get(NEW).status_code == 403
    assert operator.post("/console/devices/new-1/stage", data={"to": "tested"}).status_code == 403
    waiting = operator.get("/console/devices?show=waiting").text
    assert "东门摄像头" in waiting


def test_retired_device_offers_nothing_more(visit: Visit, seeded: Rooms, zone: str) -> None:
    client = visit("admin", "en")
    register(client, zone, kind=DeviceKind.DOOR)
    client.post("/console/devices/new-1/retirement")
    page = client.get("/console/devices/new-1").text
    assert "Taken out of service; its events stay." in page
    assert "/retirement" not in page
    assert "东门摄像头" not in client.get("/console/devices").text


@pytest.mark.parametrize("width", [1366, 390])
def test_pages_fit_a_screen_and_a_phone(
    browse: Callable[..., Page], visit: Visit, seeded: Rooms, zone: str, served: object, width: int
) -> None:
    register(visit("admin"), zone)
    with seeded.database.write() as session:
        candidates.note(session, "facesluice", None, "1305433", seeded.clock.now(), {"ip": "10.0.0.7"})
    page = browse("admin", width=width, height=844)
    for path in ("/console/devices", "/console/devices/new", "/console/devices/new-1"):
        page.goto(f"{served.url}{path}")  # type: ignore[attr-defined]
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, path
