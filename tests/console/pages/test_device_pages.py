"""The list of devices, one device's page, and what may be asked of it there."""

import datetime as dt
import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from alerts.mutes import RuleMute
from console.context import Rooms
from devices.commands.models import DeviceCommand
from devices.models import Device, DeviceStatus
from devices.observations import row_of
from storage.events import EventRow

Visit = Callable[..., TestClient]
LIST = "/console/devices"


def shown(html: str) -> set[str]:
    body = re.search(r"<tbody>.*?</tbody>", html, re.DOTALL)
    return set(re.findall(r'href="/console/devices/([\w-]+)"', body[0])) if body else set()


def happened(rooms: Rooms, kind: str, ago: dt.timedelta, device: str = "cam-east", **body: object) -> None:
    at = rooms.clock.now() - ago
    with rooms.database.write() as session:
        session.add(
            EventRow(
                id=f"{kind}-{device}-{ago.total_seconds()}"[:32],
                compound=rooms.compound,
                device_id=device,
                record_id=f"{ago}",
                type=kind,
                ring="entrance",
                zone="gate-east",
                device_time=at + dt.timedelta(seconds=2),
                corrected_time=at,
                received_at=at,
                late=0,
                marks=[],
                body=body,
                content_hash="0",
            )
        )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("show=off", {"cam-sheds"}),
        ("show=never", {"door-4"}),
        ("ring=building&kind=door", {"door-1", "door-2", "door-3", "door-4"}),
        ("zone=gate-north", {"cam-north", "bar-north"}),
        ("q=北门", {"cam-north", "bar-north"}),
        ("q=北门 CAM", {"cam-north"}),
        ("show=drift", {"cam-garden"}),
        ("show=battery", {"door-1"}),
        ("show=tampered", {"cam-east"}),
        ("kind=face_camera&ring=common", set()),
    ],
)
def test_list_shows_what_is_asked_for(visit: Visit, seeded: Rooms, query: str, found: set[str]) -> None:
    with seeded.database.write() as session:
        session.get_one(DeviceStatus, "cam-garden").clock_offset_ms = -9000
        row_of(session, "door-1").facts = {"battery": 12, "firmware": "2.1<b>"}
    happened(seeded, "device.tamper", dt.timedelta(hours=3))
    html = visit("operator", "en").get(f"{LIST}?{query}").text
    assert shown(html) == found


def test_figures_count_what_the_links_show(visit: Visit, seeded: Rooms) -> None:
    html = visit("operator", "en").get(LIST).text
    figures = dict(re.findall(r'show=(\w+)"[^>]*><span class="n">(\d+)', html))
    assert figures["off"] == "1"
    assert figures["never"] == "1"
    for name, count in figures.items():
        assert len(shown(visit("operator", "en").get(f"{LIST}?show={name}").text)) == int(count), name


def test_long_list_goes_on_behind_a_link(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        for number in range(60):
            session.add(
                Device(
                    id=f"x-{number:02}",
                    compound=seeded.compound,
                    zone="b1",
                    kind="sensor",
                    name="x",
                    secret_hash="$2b$x",
                )
            )
    client = visit("operator", "en")
    first = client.get(f"{LIST}?q=x-").text
    assert len(shown(first)) == 50
    more = re.search(r'rel="next" href="([^"]+)"', first)
    assert more
    rest = client.get(more[1].replace("&amp;", "&")).text
    assert len(shown(rest) | shown(first)) == 60


def test_device_says_how_long_it_was_there_in_words_and_as_a_bar(visit: Visit, seeded: Rooms) -> None:
    happened(seeded, "device.offline", dt.timedelta(hours=7))
    happened(seeded, "device.online", dt.timedelta(hours=1))
    html = visit("operator", "en").get(f"{LIST}/cam-east").text
    assert "there for 75.0 % of the time" in html
    assert "away 1 times, at most 6 h" in html
    day = re.search(r'<svg class="availability".*?</svg>', html, re.DOTALL)
    assert day
    assert re.findall(r'<rect class="(\w+)"', day[0]) == ["on", "off", "on"]


def test_clock_is_drawn_once_there_is_enough_to_draw(visit: Visit, seeded: Rooms) -> None:
    client = visit("operator", "en")
    assert 'class="drift"' not in client.get(f"{LIST}/door-2").text
    for minutes in (1, 2, 3):
        happened(seeded, "door.opened", dt.timedelta(minutes=minutes), "door-2")
    html = client.get(f"{LIST}/door-2").text
    assert 'class="drift"' in html
    assert "to +2.0 s against ours" in html


def test_last_picture_is_shown_for_a_purpose_only(visit: Visit, seeded: Rooms) -> None:
    media = seeded.media.put(b"\xff\xd8\xff picture").media_id
    happened(seeded, "face.captured", dt.timedelta(seconds=1), pictures=[{"media_id": media, "role": "face"}])
    client = visit("operator", "en")
    assert media not in client.get(f"{LIST}/cam-east").text
    assert media not in client.get(f"{LIST}/cam-east?look=curiosity").text
    assert f"/api/v1/media/{media}?purpose=monitoring" in client.get(f"{LIST}/cam-east?look=monitoring").text
    assert 'id="picture"' not in visit("manager").get(f"{LIST}/cam-east").text


def test_gate_is_opened_with_a_reason_by_those_who_may(visit: Visit, seeded: Rooms) -> None:
    operator = visit("operator", "en")
    page = f"{LIST}/bar-north"
    assert 'value="open"' in operator.get(page).text
    refused = operator.post(f"{page}/commands", data={"kind": "open", "reason": " "})
    assert refused.status_code == 422
    assert (
        operator.post(f"{page}/commands", data={"kind": "open", "reason": "fire engine"}).status_code == 303
    )
    with seeded.database.read() as session:
        assert session.query(DeviceCommand).one().reason == "fire engine"
    assert "fire engine" in operator.get(page).text
    assert 'id="commands"' not in visit("manager").get(page).text
    assert visit("manager").post(f"{page}/commands", data={"kind": "open", "reason": "x"}).status_code == 403


def test_way_out_has_no_button_that_locks_it(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        session.get_one(Device, "bar-north").direction = None
    html = visit("operator", "en").get(f"{LIST}/bar-north").text
    assert '<option value="open"' in html
    assert '<option value="close"' not in html


def test_rule_is_silenced_for_a_while_and_a_safety_rule_never(visit: Visit, seeded: Rooms) -> None:
    operator = visit("operator", "en")
    page = f"{LIST}/cam-north"
    offered = re.findall(r'<option value="(R-[^"]+)"', operator.get(page).text)
    asked = {"rule": offered[0], "hours": "2", "reason": "lens is cleaned"}
    assert operator.post(f"{page}/quiet", data=asked).status_code == 303
    with seeded.database.read() as session:
        row = session.query(RuleMute).one()
        assert (row.place, row.ends_at - row.starts_at) == ("cam-north", dt.timedelta(hours=2))
    assert "lens is cleaned" in operator.get(page).text
    assert 'action="/console/devices/cam-north/quiet"' not in visit("manager").get(page).text
