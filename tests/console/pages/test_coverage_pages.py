"""The page of what could not have been seen: sentences, bars, devices, and what is no time."""

import datetime as dt

import pages_history
import pytest

from alerts.intake.models import WorkOrder
from devices.models import DeviceStatus
from registry.models import Ring


@pytest.fixture
def night(seeded, at):
    """At the north gate both devices were away for 14 minutes an hour ago; one of the east gate's two was."""
    begins = at - dt.timedelta(hours=1)

    def told(kind: str, device: str, zone: str, minute: int, **more):
        when = begins + dt.timedelta(minutes=minute)
        return pages_history.event(
            f"{kind}-{device}-{minute}",
            device,
            zone,
            Ring.ENTRANCE,
            kind,
            when,
            attributes={"cause": "last_will"},
            **more,
        )

    with seeded.database.write() as session:
        for device in ("cam-north", "bar-north"):
            session.add(told("device.offline", device, "gate-north", 10))
            session.add(told("device.online", device, "gate-north", 24))
        session.add(told("device.offline", "cam-east", "gate-east", 30))
        session.add(told("device.online", "cam-east", "gate-east", 40))
        session.add(told("face.captured", "turn-east", "gate-east", 41, marks=["clock_skew"]))
        session.get_one(DeviceStatus, "turn-east").clock_offset_ms = 4200
        session.add(
            WorkOrder(id="w-1", compound="honghua", device="bar-north", fault="device.offline", state="open",
                      opened_at=begins - dt.timedelta(days=1))
        )  # fmt: skip
    return seeded


def query(at: dt.datetime, **more: str) -> str:
    begins, ends = (moment.isoformat().replace("+00:00", "Z") for moment in (at - dt.timedelta(hours=1), at))
    return "&".join([f"from={begins}", f"to={ends}", *(f"{name}={value}" for name, value in more.items())])


def test_a_sentence_says_first_what_was_blind_and_for_how_long(night, visit, at) -> None:
    html = visit("operator", "en").get(f"/console/coverage?{query(at)}").text
    assert "北门车行道 was blind for 14 min" in html
    assert "东门 was blind" not in html, "one of its two devices saw"
    assert "No device looks here" in html
    assert "5幢" in html.split("No device looks here")[1].split("</p>")[0]
    assert "Nothing seen is not nobody there." in html


def test_devices_are_told_with_why_and_what_makes_them_doubtful(night, visit, at) -> None:
    html = visit("operator", "en").get(f"/console/coverage?{query(at)}").text
    devices = html.split('id="devices-title"')[1]
    assert "offline" in devices
    assert "clock off by 4.2 s now" in devices
    assert "records by a clock that was off: 1" in devices
    assert "being repaired" in devices


def test_a_ring_or_a_zone_alone(night, visit, at) -> None:
    client = visit("operator", "en")
    bars = (
        client.get(f"/console/coverage?{query(at, zone='gate-east')}")
        .text.split('class="bars"')[1]
        .split("</ul>")[0]
    )
    assert bars.count("<li>") == 1
    assert 'class="partly"' in bars
    rings = client.get(f"/console/coverage?{query(at, ring='building')}").text
    assert "was blind for 14 min" not in rings


def test_the_last_hour_is_shown_where_no_time_is_given_or_a_wrong_one(night, visit, at) -> None:
    client = visit("operator", "en")
    assert "blind for 14 min" in client.get("/console/coverage").text
    for wrong in ("from=yesterday", "from=2026-01-01T00:00&to=2026-02-01T00:00", "from=2027-01-01T00:00"):
        answer = client.get(f"/console/coverage?{wrong}")
        assert answer.status_code == 422
        assert "longer than 7 days" in answer.text
    assert client.get("/console/coverage?quick=night").status_code == 200


@pytest.mark.parametrize("name", ["guard", "li", "auditor", "resident", "manager"])
def test_only_who_reads_events_sees_it(visit, name) -> None:
    assert visit(name).get("/console/coverage").status_code == 403
