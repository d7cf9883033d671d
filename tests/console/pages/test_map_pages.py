"""The plan on the live page and the places on it, as HTML: states, blind zones, rounds, ways, places."""

import datetime as dt
import gzip
from collections.abc import Callable

import pages_history
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.incidents.models import Incident
from alerts.patrols.models import (
    Checkpoint,
    How,
    PatrolRound,
    PatrolRoute,
    PatrolVisit,
    PointKind,
    RoundState,
)
from console.context import Rooms
from devices.models import Device, DeviceKind, DeviceStatus, Stage
from registry.models import Building, Ring, Zone
from storage.audit import AuditRow

Visit = Callable[..., TestClient]
PLAN = "/console/fragments/plan"


def test_a_silent_zone_is_marked_blind_and_one_without_devices_unwatched(visit: Visit) -> None:
    html = visit("operator", "en").get(PLAN).text
    assert 'class="sight blind"' in html
    assert 'class="sight unwatched"' in html
    assert "车棚" in html
    assert "blind: no device here works" in html
    assert "nothing looks here" in html


def test_a_covered_camera_is_tampered_until_it_says_that_it_is_over(
    visit: Visit, seeded: Rooms, at: dt.datetime
) -> None:
    def say(number: int, **attributes: object) -> None:
        moment = at - dt.timedelta(seconds=60 - number)
        row = pages_history.event(
            f"e-cover-{number}", "cam-garden", "garden", Ring.COMMON, "video.occlusion", moment,
            attributes=attributes,
        )  # fmt: skip
        with seeded.database.write() as session:
            session.add(row)

    client = visit("operator", "en")
    assert "device tampered" not in client.get(PLAN).text
    say(1)
    assert "device tampered" in client.get(PLAN).text
    place = client.get("/console/places/garden").text
    assert "tampered" in place
    assert "No device here works." in place
    say(2, ended=True)
    assert "device tampered" not in client.get(PLAN).text


def test_who_goes_is_counted_at_the_incident_and_nobody_is_drawn(visit: Visit, seeded: Rooms) -> None:
    with seeded.database.write() as session:
        row = session.get_one(Dispatch, "d-plate")
        row.state = DispatchState.EN_ROUTE
    html = visit("operator", "en").get(PLAN).text
    assert "on the way: 1" in html
    assert "李队员" not in html


def walk(seeded: Rooms, at: dt.datetime, *, in_order: bool) -> None:
    with seeded.database.write() as session:
        session.add(PatrolRoute(id="pr", compound="honghua", name="夜巡一线", team="t-guard", in_order=in_order,
                                created_at=at))  # fmt: skip
        session.flush()
        points = []
        for zone in ("gate-north", "garden", "sheds"):
            session.add(Checkpoint(id=f"cp-{zone}", compound="honghua", name=f"点 {zone}", zone=zone,
                                   kind=PointKind.QR))  # fmt: skip
            points.append({"id": f"cp-{zone}", "name": f"点 {zone}", "zone": zone, "device": None})
        session.flush()
        plan = {"name": "夜巡一线", "in_order": in_order, "least_s": None, "most_s": 300, "tolerance_min": 10,
                "points": points}  # fmt: skip
        session.add(PatrolRound(
            id="round", compound="honghua", route="pr", due_from=at - dt.timedelta(minutes=20),
            due_until=at + dt.timedelta(minutes=20), counts_until=at + dt.timedelta(minutes=30),
            responder="r-zhao", state=RoundState.UNDER_WAY, plan=plan, started_at=at - dt.timedelta(minutes=15),
        ))  # fmt: skip
        session.flush()
        passed = at - dt.timedelta(minutes=6)
        session.add(PatrolVisit(
            id="v", compound="honghua", client="c-1", round="round", checkpoint="cp-gate-north",
            responder="r-zhao", how=How.QR, at=passed, received_at=passed,
        ))  # fmt: skip


def test_a_round_shows_its_last_point_and_where_it_is_overdue(
    visit: Visit, seeded: Rooms, at: dt.datetime
) -> None:
    walk(seeded, at, in_order=True)
    html = visit("operator", "en").get(PLAN).text
    assert "夜巡一线: passed 点 gate-north at" in html
    assert "1 of 3 points" in html
    assert "夜巡一线: due at 点 garden by" in html
    assert "walk next late" in html
    assert "赵保安" not in html


def test_of_a_round_without_an_order_no_next_point_is_made_up(
    visit: Visit, seeded: Rooms, at: dt.datetime
) -> None:
    walk(seeded, at, in_order=False)
    html = visit("operator", "en").get(PLAN).text
    assert "passed 点 gate-north" in html
    assert "due at" not in html


def test_the_way_of_the_open_incident_is_numbered_and_blind_stretches_are_dashed(
    visit: Visit, seeded: Rooms, at: dt.datetime
) -> None:
    def step(number: int, device: str, zone: str, ring: Ring) -> None:
        moment = at - dt.timedelta(minutes=30 - number)
        with seeded.database.write() as session:
            event = f"e-way-{number}"
            session.add(pages_history.event(event, device, zone, ring, "plate.recognised", moment))
            session.add(pages_history.decision(event, "plate", "unknown", moment, [], plate="云M8X21K"))

    step(1, "cam-north", "gate-north", Ring.ENTRANCE)
    step(2, "cam-garden", "garden", Ring.COMMON)
    client = visit("operator", "en")
    assert 'class="mark step"' not in client.get(PLAN).text
    drawn = client.get(f"{PLAN}?incident=i-plate").text
    assert drawn.count('class="mark step"') == 3
    assert "leg dark" not in drawn
    start, end = (at - dt.timedelta(minutes=minutes) for minutes in (29, 28))
    with seeded.database.write() as session:
        span = {"device": "cam-garden", "start": start.isoformat(), "end": end.isoformat(), "why": "offline"}
        session.get_one(Incident, "i-plate").blind = [span]
    assert client.get(f"{PLAN}?incident=i-plate").text.count("leg dark") == 1
    assert client.get(f"{PLAN}?incident=nothing").status_code == 404


def test_the_way_of_somebody_is_drawn_for_whoever_has_the_look_noted(visit: Visit, seeded: Rooms) -> None:
    """A way shows where a person was: fetched by itself it is a look like the opening."""

    def looks() -> int:
        with seeded.database.read() as session:
            rows = session.scalars(select(AuditRow).where(AuditRow.subject == "i-hit"))
            return sum(row.action == "incident.viewed" for row in rows)

    client = visit("operator")
    client.get(f"{PLAN}?incident=i-hit")
    assert looks() == 1
    client.get(f"{PLAN}?incident=i-hit")
    assert looks() == 1, "the plan is drawn again with every change"


def test_more_incidents_than_fit_are_counted_and_lead_to_the_place(
    visit: Visit, seeded: Rooms, at: dt.datetime
) -> None:
    with seeded.database.write() as session:
        session.add_all(
            pages_history.incident(f"i-more-{n}", at - dt.timedelta(minutes=n), zone="garden", ring=Ring.COMMON,
                                   severity=2)
            for n in range(7)
        )  # fmt: skip
    client = visit("operator", "en")
    html = client.get(PLAN).text
    assert html.count('data-incident="i-more-') == 2
    assert "5 more here, the gravest: " in html
    assert client.get("/console/places/garden").text.count("i-more-") >= 7


def test_a_place_of_another_compound_is_not_there(visit: Visit) -> None:
    assert visit("operator").get("/console/places/elsewhere").status_code == 404
    assert visit("li").get("/console/places/garden").status_code == 403


@pytest.fixture
def large(seeded: Rooms, at: dt.datetime) -> None:
    """Fifty buildings and four hundred devices, on a compound of 600 × 400 m."""
    with seeded.database.write() as session:
        for n in range(50):
            x, y = 60.0 * (n % 10), 200 + 60.0 * (n // 10)
            outline = [[x, y], [x + 44, y], [x + 44, y + 34], [x, y + 34]]
            session.add(Zone(id=f"big-{n}", compound="honghua", name=f"{n + 10}幢", ring=Ring.BUILDING,
                             kind="building", outline=outline))  # fmt: skip
            session.flush()
            session.add(Building(id=f"h-big-{n}", compound="honghua", zone=f"big-{n}", name=f"{n + 10}幢",
                                 x=x + 4, y=y + 4, width=36, height=26))  # fmt: skip
            for d in range(8):
                device = f"big-{n}-{d}"
                session.add(Device(
                    id=device, compound="honghua", zone=f"big-{n}", kind=DeviceKind.SCENE_CAMERA,
                    name=f"{n + 10}幢摄像机{d}", secret_hash="$2b$x", stage=Stage.APPROVED,
                    x=x + 5 * d, y=y + 34,
                ))  # fmt: skip
                session.flush()
                session.add(DeviceStatus(device_id=device, online=(n + d) % 7 > 0, since=at, last_seen=at))


@pytest.mark.usefixtures("large")
def test_a_large_compound_fits_into_sixty_kilobytes(visit: Visit) -> None:
    html = visit("operator").get(PLAN).content
    assert html.count(b"10\xe5\xb9\xa2\xe6\x91\x84\xe5\x83\x8f\xe6\x9c\xba") >= 8
    assert len(gzip.compress(html)) < 60_000
