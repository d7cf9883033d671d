"""Reports, disputes and work orders over the API: who may what, and who sees what."""

import cv2
import numpy as np
import pytest

from alerts import reactions
from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents.models import Incident
from alerts.intake import reaction
from alerts.intake.models import Dispute, IntakeReport, WorkOrder
from console.accounts.models import Role
from registry.models import Zone
from storage.audit import AuditRow


@pytest.fixture
def follow(database, clock):
    def do():
        failed = []
        while reactions.react(database, [("intake", reaction.follow)], clock.now, failed.append):
            pass
        assert failed == []

    return do


@pytest.fixture
def mediators(database, world):
    with database.write() as session:
        session.add(Team(id="mediators", compound="honghua", name="调解队", kind=TeamKind.MEDIATION))
        session.flush()
        for name in ("mei", "mo"):
            session.add(Responder(id=name, team="mediators", name=name))


def photo(width=40, height=30):
    written, data = cv2.imencode(".jpg", np.full((height, width, 3), 90, np.uint8))
    assert written
    return data.tobytes()


async def report(browser, **given):
    return await browser.post("/api/v1/intake", json={"kind": "fire", "building": "b1"} | given)


@pytest.mark.parametrize("role", [Role.GUARD, Role.RESIDENT, Role.GRID_WORKER, Role.VOLUNTEER])
async def test_people_report_and_hear_whom_to_call(world, signed_in, role):
    answer = await report(signed_in(role), words="冒烟")
    assert answer.status_code == 201
    told = answer.json()
    assert (told["call"], told["stage"], told["words"]) == ("119", "received", "冒烟")


async def test_nobody_reports_without_an_account(world, anonymous):
    assert (await report(anonymous)).status_code == 401


async def test_a_report_is_seen_by_whoever_made_it_alone(world, signed_in):
    one, other = signed_in(Role.RESIDENT), signed_in(Role.GUARD)
    made = (await report(one)).json()["id"]
    assert (await one.get(f"/api/v1/intake/{made}")).status_code == 200
    assert (await other.get(f"/api/v1/intake/{made}")).status_code == 404
    assert (await other.get("/api/v1/intake")).json()["items"] == []
    assert [row["id"] for row in (await one.get("/api/v1/intake")).json()["items"]] == [made]


async def test_what_became_of_it_is_told(world, signed_in, operator):
    one = signed_in(Role.RESIDENT)
    made = (await report(one)).json()["id"]
    incident = (await operator.get("/api/v1/incidents?state=raised")).json()["items"]
    [mine] = [row for row in incident if row["kind"] == "reported.fire"]
    step = await operator.post(
        f"/api/v1/incidents/{mine['id']}/steps", json={"to": "acknowledged", "version": mine["version"]}
    )
    assert step.status_code == 201
    assert (await one.get(f"/api/v1/intake/{made}")).json()["stage"] == "seen"


async def test_the_same_key_reports_once(world, signed_in, database):
    one = signed_in(Role.RESIDENT)
    for _ in range(2):
        answer = await one.post(
            "/api/v1/intake", json={"kind": "fire", "zone": "gate"}, headers={"Idempotency-Key": "k"}
        )
        assert answer.status_code == 201
    with database.read() as session:
        assert session.query(IntakeReport).count() == 1


async def test_a_photo_is_made_anew_and_one_is_all(world, signed_in, database, media):
    one = signed_in(Role.RESIDENT)
    made = (await report(one)).json()["id"]
    sent = photo() + b"GPS 25.04N 102.71E"
    answer = await one.put(f"/api/v1/intake/{made}/photo", files={"file": sent})
    assert (answer.status_code, answer.json()["photo"]) == (200, True)
    with database.read() as session:
        stored = media.get(session.get_one(IntakeReport, made).media_id)
    assert stored.startswith(b"\xff\xd8\xff")
    assert b"GPS" not in stored
    again = await one.put(f"/api/v1/intake/{made}/photo", files={"file": photo()})
    assert (again.status_code, again.json()["code"]) == (409, "photo_given")


@pytest.mark.parametrize("content", [b"", b"<script>", b"\xff\xd8\xff broken"])
async def test_what_is_no_picture_is_refused(world, signed_in, content):
    one = signed_in(Role.RESIDENT)
    made = (await report(one)).json()["id"]
    answer = await one.put(f"/api/v1/intake/{made}/photo", files={"file": content})
    assert answer.status_code == 422


async def test_who_decides_reads_the_reports_and_not_who_made_them(world, signed_in, operator, database):
    one = signed_in(Role.RESIDENT)
    await report(one, words="五楼")
    await report(signed_in(Role.GUARD), words="我也看到了")
    with database.read() as session:
        incident = session.query(Incident).filter_by(kind="reported.fire").one().id
    found = (await operator.get(f"/api/v1/incidents/{incident}/reports")).json()["items"]
    assert [row["words"] for row in found] == ["五楼", "我也看到了"]
    assert one.user.id not in str(found)


async def test_the_why_and_the_page_of_a_reported_incident_are_there(world, signed_in, operator, database):
    await report(signed_in(Role.RESIDENT))
    with database.read() as session:
        incident = session.query(Incident).filter_by(kind="reported.fire").one().id
    assert (await operator.get(f"/console?incident={incident}")).status_code == 200
    assert (await operator.get(f"/api/v1/incidents/{incident}")).status_code == 200
    assert (await operator.get(f"/api/v1/incidents/{incident}/plan")).status_code == 200


async def test_own_building_comes_first(world, signed_in):
    shown = (await signed_in(Role.RESIDENT).get("/api/v1/intake/places")).json()
    assert [row["name"] for row in shown] == ["1", "gate", "yard"]


async def test_mediators_see_disputes_and_others_only_counts(world, mediators, signed_in, operator, follow):
    await report(signed_in(Role.RESIDENT), kind="dispute", words="楼上漏水")
    follow()
    mei = signed_in(Role.VOLUNTEER, responder_id="mei", name="mei")
    mo = signed_in(Role.VOLUNTEER, responder_id="mo", name="mo")
    [seen] = (await mei.get("/api/v1/disputes")).json()["items"]
    assert (seen["words"], seen["mine"], seen["kind"]) == ([], False, "reported.dispute")
    counts = (await operator.get("/api/v1/disputes")).json()
    assert (counts["items"], counts["mediator"], counts["counts"]["opened"]) == ([], False, 1)
    path = f"/api/v1/disputes/{seen['id']}"
    assert (await operator.get(path)).status_code == 404
    assert (await operator.post(f"{path}/steps", json={"to": "accepted"})).status_code == 404
    taken = await mei.post(f"{path}/steps", json={"to": "accepted", "version": seen["version"]})
    assert taken.json()["words"] == ["楼上漏水"]
    # What another mediator has is none of mine.
    assert (await mo.get("/api/v1/disputes")).json()["items"] == []
    assert (await mo.get(path)).status_code == 404


async def test_reading_ones_own_dispute_is_written_down(world, mediators, signed_in, follow, database):
    await report(signed_in(Role.RESIDENT), kind="noise")
    follow()
    mei = signed_in(Role.VOLUNTEER, responder_id="mei", name="mei")
    with database.read() as session:
        made = session.query(Dispute).one().id
    await mei.post(f"/api/v1/disputes/{made}/steps", json={"to": "accepted"})
    await mei.get(f"/api/v1/disputes/{made}")
    with database.read() as session:
        actions = [row.action for row in session.query(AuditRow)]
    assert "dispute.viewed" in actions


async def test_a_work_order_goes_its_way(world, signed_in, database):
    manager = signed_in(Role.PROPERTY_MANAGER)
    given = {"fault": "lamp", "device": "cam-1", "note": "灯不亮"}
    made = (await manager.post("/api/v1/work-orders", json=given)).json()
    assert (made["state"], made["zone"]) == ("open", "gate")
    again = (await manager.post("/api/v1/work-orders", json=given)).json()
    assert (again["id"], again["times"]) == (made["id"], 2)
    path = f"/api/v1/work-orders/{made['id']}/steps"
    stale = await manager.post(path, json={"to": "done", "version": 1})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_version")
    for to in ("doing", "done", "verified"):
        assert (await manager.post(path, json={"to": to})).json()["state"] == to
    listed = (await manager.get("/api/v1/work-orders?state=verified")).json()["items"]
    assert [row["id"] for row in listed] == [made["id"]]
    assert (await manager.get("/api/v1/work-orders?state=open")).json()["items"] == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"fault": "lamp"}, "place_missing"),
        ({"fault": "lamp", "device": "cam-9"}, "device_unknown"),
        ({"fault": "lamp", "zone": "far"}, "place_unknown"),
    ],
)
async def test_a_work_order_is_of_a_place_of_this_compound(world, signed_in, given, code, database):
    answer = await signed_in(Role.PROPERTY_MANAGER).post("/api/v1/work-orders", json=given)
    assert answer.json()["code"] == code
    with database.read() as session:
        assert session.query(WorkOrder).count() == 0
        assert session.get(Zone, "far") is not None
