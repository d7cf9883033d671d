"""Duty over the API: rosters that become shifts, swaps, check-ins, hours, the calendar and its addresses."""

import datetime as dt

import pytest
from icalendar import Calendar

from alerts.duty import gaps
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.duty.people import managers
from console.accounts.models import Role
from storage.audit import AuditRow

API = "/api/v1"
SHANGHAI = dt.timezone(dt.timedelta(hours=8))


@pytest.fixture
def staffed(database, world):
    """Beside the two guards a third, a volunteer team and a team of the other compound."""
    with database.write() as session:
        session.add(Responder(id="zhao", team="guards", name="zhao 某"))
        session.add(Team(id="volunteers", compound="honghua", name="义警", kind=TeamKind.VOLUNTEER_POLICE))
        session.add(Team(id="theirs", compound="sifang", name="四方", kind=TeamKind.GUARD))
        session.flush()
        session.add(Responder(id="sun", team="volunteers", name="sun 某", hours_most=6))
        session.add(Responder(id="far", team="theirs", name="far 某"))
    return world


@pytest.fixture
def manager(signed_in, staffed):
    return signed_in(Role.PROPERTY_MANAGER)


def guard(signed_in, who: str, role: Role = Role.GUARD):
    return signed_in(role, responder_id=who, name=f"user-{who}")


def roster(**more):
    slot = {
        "key": "day",
        "starts": "08:00",
        "ends": "16:00",
        "post": "gate",
        "rotation": {"groups": [["wang"]], "begins_on": "2026-11-01"},
    }
    return {"team": "guards", "name": "白班", "slots": [slot], "starts_on": "2026-11-24"} | more


async def ok(answer, status: int = 200):
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def test_roster_is_made_read_changed_and_ended(manager):
    made = await ok(await manager.post(f"{API}/rosters", json=roster()), 201)
    assert [one["id"] for one in await ok(await manager.get(f"{API}/rosters"))] == [made["id"]]
    shifts = await ok(await manager.get(f"{API}/shifts", params={"team": "guards"}))
    assert {(one["responder"], one["post"]) for one in shifts if one["roster"]} == {("wang", "gate")}
    far_ahead = {"from": "2027-01-04T00:00:00+08:00", "to": "2027-01-06T00:00:00+08:00"}
    later = await ok(await manager.get(f"{API}/rosters/{made['id']}/duties", params=far_ahead))
    assert [one["place"] for one in later["duties"]] == ["2027-01-04/day/0", "2027-01-05/day/0"]
    assert later["unknown_years"] == []
    ended = roster(ends_on="2026-11-24") | {"version": 1}
    assert (await ok(await manager.put(f"{API}/rosters/{made['id']}", json=ended)))["version"] == 2
    shifts = await ok(await manager.get(f"{API}/shifts", params={"team": "guards"}))
    assert len([one for one in shifts if one["roster"]]) == 1
    stale = await manager.put(f"{API}/rosters/{made['id']}", json=ended)
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_version")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"slots": []}, "roster_empty"),
        ({"team": "theirs"}, "team_not_found"),
        ({"ends_on": "2026-11-01"}, "roster_days"),
        ({"replaces": "none", "ends_on": "2026-12-01"}, "roster_not_found"),
    ],
)
async def test_roster_that_cannot_be_kept_is_refused(manager, change, code):
    refused = await manager.post(f"{API}/rosters", json=roster(**change))
    assert refused.json()["code"] == code


async def test_somebody_of_another_compound_is_nobody_here(manager):
    theirs = roster()
    theirs["slots"][0]["rotation"]["groups"] = [["far"]]
    assert (await manager.post(f"{API}/rosters", json=theirs)).json()["code"] == "responder_unknown"
    asked = {"responder": "far", "starts_at": "2026-11-25T00:00:00Z", "ends_at": "2026-11-25T04:00:00Z"}
    assert (await manager.post(f"{API}/shifts", json=asked)).status_code == 404
    assert (await manager.patch(f"{API}/responders/far", json={"capacity": 2})).status_code == 404
    assert (await manager.get(f"{API}/teams/theirs/responders")).json() == []


async def test_stand_in_and_absence_and_taking_back(manager, staffed):
    await ok(await manager.post(f"{API}/rosters", json=roster()), 201)
    span = {"starts_at": "2026-11-25T00:00:00+08:00", "ends_at": "2026-11-26T00:00:00+08:00"}
    change = {"instead_of": "wang", "responder": "zhao", "reason": "体检"} | span
    made = await ok(await manager.post(f"{API}/duty-changes", json=change), 201)
    window = {"from": span["starts_at"], "to": span["ends_at"]}
    standing = await ok(await manager.get(f"{API}/shifts", params=window))
    assert [one["responder"] for one in standing] == ["zhao"]
    assert [one["reason"] for one in await ok(await manager.get(f"{API}/duty-changes"))] == ["体检"]
    await ok(await manager.post(f"{API}/duty-changes/{made['id']}/end"))
    standing = await ok(await manager.get(f"{API}/shifts", params=window))
    assert [one["responder"] for one in standing] == ["wang"]


async def test_guard_sees_the_own_team_and_a_manager_everybody(manager, signed_in, database, clock):
    with database.write() as session:
        session.add(
            Shift(id="v", responder="sun", starts_at=clock.now(), ends_at=clock.now() + dt.timedelta(hours=2))
        )
    seen = {one["responder"] for one in await ok(await manager.get(f"{API}/shifts"))}
    assert seen == {"li", "sun"}
    mine = await ok(await guard(signed_in, "wang").get(f"{API}/shifts"))
    assert {one["responder"] for one in mine} == {"li"}
    theirs = await guard(signed_in, "zhao").get(f"{API}/shifts", params={"team": "volunteers"})
    assert theirs.json() == []


async def test_swap_over_the_api(manager, signed_in):
    await ok(await manager.post(f"{API}/rosters", json=roster()), 201)
    wang, zhao = guard(signed_in, "wang"), guard(signed_in, "zhao")
    shift = (await ok(await wang.get(f"{API}/duty")))["mine"][0]
    swap = await ok(await wang.post(f"{API}/swaps", json={"shift": shift["id"], "colleague": "zhao"}), 201)
    assert [one["id"] for one in await ok(await zhao.get(f"{API}/swaps"))] == [swap["id"]]
    assert (await ok(await zhao.post(f"{API}/swaps/{swap['id']}/accept")))["state"] == "done"
    assert (await ok(await zhao.get(f"{API}/duty")))["mine"][0]["starts_at"] == shift["starts_at"]
    again = await zhao.post(f"{API}/swaps/{swap['id']}/accept")
    assert (again.status_code, again.json()["code"]) == (409, "swap_over")


async def test_manager_decides_a_swap_where_the_compound_wants_it(manager, signed_in):
    rules = {"rest_h": 11, "check_in_h": 3, "approve_swaps": True, "check_coverage": True}
    await ok(await manager.put(f"{API}/duty-rules", json=rules))
    assert await ok(await manager.get(f"{API}/duty-rules")) == rules
    await ok(await manager.post(f"{API}/rosters", json=roster()), 201)
    wang, zhao = guard(signed_in, "wang"), guard(signed_in, "zhao")
    shift = (await ok(await wang.get(f"{API}/duty")))["mine"][0]["id"]
    swap = (await ok(await wang.post(f"{API}/swaps", json={"shift": shift}), 201))["id"]
    assert (await ok(await zhao.post(f"{API}/swaps/{swap}/accept")))["state"] == "accepted"
    decided = await manager.post(f"{API}/swaps/{swap}/decision", json={"approved": True})
    assert (await ok(decided))["state"] == "done"


async def test_volunteer_checks_in_and_out_and_reads_the_hours(signed_in, staffed, clock, manager):
    sun = guard(signed_in, "sun", Role.VOLUNTEER)
    row = await ok(await sun.post(f"{API}/duty/check-in"))
    assert row["ends_at"].startswith((clock.now() + dt.timedelta(hours=4)).isoformat()[:16])
    now = await ok(await sun.get(f"{API}/duty"))
    assert now["on_duty"]
    assert now["checked_in"]
    assert (await sun.post(f"{API}/duty/check-in")).json()["code"] == "already_checked_in"
    clock.advance(hours=2)
    await ok(await sun.post(f"{API}/duty/check-out"))
    mine = await ok(await sun.get(f"{API}/duty/hours", params={"month": "2026-11"}))
    assert (mine["worked_h"], mine["lines"][0]["ended_by"]) == (2.0, "self")
    team = await ok(await manager.get(f"{API}/teams/volunteers/hours", params={"month": "2026-11"}))
    assert [(one["responder"], one["worked_h"]) for one in team] == [("sun", 2.0)]
    assert (await sun.get(f"{API}/teams/volunteers/hours", params={"month": "2026-11"})).status_code == 403


async def test_account_without_a_responder_has_no_duty(signed_in, staffed):
    refused = await signed_in(Role.GRID_WORKER).post(f"{API}/duty/check-in")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_responder")


async def test_calendar_says_own_days_and_which_years_are_known(manager):
    known = await ok(await manager.get(f"{API}/duty-calendar", params={"year": 2026}))
    assert known["known"]
    assert {"day": "2026-10-10", "kind": "make_up", "name": "National Day", "own": False} in known["days"]
    await ok(await manager.put(f"{API}/duty-calendar/2026-12-24", json={"kind": "holiday", "name": "社区日"}))
    own = await ok(await manager.get(f"{API}/duty-calendar", params={"year": 2026}))
    assert [one["day"] for one in own["days"] if one["own"]] == ["2026-12-24"]
    await ok(await manager.delete(f"{API}/duty-calendar/2026-12-24"), 204)
    assert not (await ok(await manager.get(f"{API}/duty-calendar", params={"year": 2031})))["known"]
    year = {"source": "国办发明电", "days": {"2031-01-01": {"kind": "holiday", "name": "元旦"}}}
    await ok(await manager.put(f"{API}/duty-calendar/years/2031", json=year), 204)
    entered = await ok(await manager.get(f"{API}/duty-calendar", params={"year": 2031}))
    assert (entered["known"], [one["day"] for one in entered["days"]]) == (True, ["2031-01-01"])
    wrong = await manager.put(f"{API}/duty-calendar/years/2032", json=year)
    assert wrong.json()["code"] == "calendar_year"


async def test_team_and_responder_are_made_and_changed(manager, database):
    team = await ok(await manager.post(f"{API}/teams", json={"name": "红袖标", "kind": "patrol"}), 201)
    changed = await ok(await manager.patch(f"{API}/teams/{team['id']}", json={"zones": ["yard", "gate"]}))
    assert changed["zones"] == ["gate", "yard"]
    assert (await manager.patch(f"{API}/teams/{team['id']}", json={"zones": ["far"]})).status_code == 409
    new = {"name": "某人", "team": team["id"], "skills": ["first_aid"], "capacity": 2, "hours_most": 8}
    row = await ok(await manager.post(f"{API}/responders", json=new), 201)
    quiet = {"quiet_from": 1320, "quiet_to": 420, "leads": True, "hours_most": None}
    after = await ok(await manager.patch(f"{API}/responders/{row['id']}", json=quiet))
    assert (after["quiet_from"], after["leads"], after["hours_most"], after["capacity"]) == (
        1320,
        True,
        None,
        2,
    )
    half = await manager.patch(f"{API}/responders/{row['id']}", json={"quiet_to": None})
    assert half.json()["code"] == "quiet_hours"
    listed = await ok(await manager.get(f"{API}/teams/{team['id']}/responders"))
    assert [(one["name"], one["skills"]) for one in listed] == [("某人", ["first_aid"])]
    with database.read() as session:
        details = [row.detail for row in session.query(AuditRow) if row.action.startswith("responder.")]
    assert details
    assert not any("某人" in (one or "") for one in details)


# ── calendar addresses ────────────────────────────────────────────────────────


async def test_personal_calendar_holds_ones_own_shifts_and_nobodys_name(manager, signed_in, anonymous):
    body = roster()
    body["slots"].append(
        {
            "key": "call",
            "starts": "20:00",
            "ends": "08:00",
            "on_call": True,
            "rotation": {"groups": [["zhao"]], "begins_on": "2026-11-01"},
        }
    )
    await ok(await manager.post(f"{API}/rosters", json=body), 201)
    made = await ok(await guard(signed_in, "wang").post(f"{API}/duty/feeds"), 201)
    answer = await anonymous.get(made["path"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert "某" not in answer.text
    events = list(Calendar.from_ical(answer.content).walk("VEVENT"))
    first = events[0]
    assert first["dtstart"].dt == dt.datetime(2026, 11, 24, 8, tzinfo=SHANGHAI)
    assert first["dtend"].dt == dt.datetime(2026, 11, 24, 16, tzinfo=SHANGHAI)
    assert first["location"] == "gate"
    assert len({str(one["uid"]) for one in events}) == len(events) == 14
    # The same duty has the same uid the next time.
    again = Calendar.from_ical((await anonymous.get(made["path"])).content)
    assert {str(one["uid"]) for one in again.walk("VEVENT")} == {str(one["uid"]) for one in events}
    call = await ok(await guard(signed_in, "zhao").post(f"{API}/duty/feeds"), 201)
    on_call = next(iter(Calendar.from_ical((await anonymous.get(call["path"])).content).walk("VEVENT")))
    assert on_call["transp"] == "TRANSPARENT"


async def test_team_calendar_says_how_many_and_not_who(manager, anonymous):
    body = roster()
    body["slots"][0]["rotation"]["groups"] = [["wang", "zhao"]]
    await ok(await manager.post(f"{API}/rosters", json=body), 201)
    made = await ok(await manager.post(f"{API}/teams/guards/feeds"), 201)
    answer = await anonymous.get(made["path"])
    assert "某" not in answer.text
    days = [one for one in Calendar.from_ical(answer.content).walk("VEVENT") if "2" in str(one["summary"])]
    assert len(days) == 14
    assert len({str(one["uid"]) for one in days}) == 14


async def test_calendar_address_that_opens_nothing_is_answered_alike(signed_in, manager, anonymous):
    wang = guard(signed_in, "wang")
    first = await ok(await wang.post(f"{API}/duty/feeds"), 201)
    second = await ok(await wang.post(f"{API}/duty/feeds"), 201)
    unknown = await anonymous.get("/calendar/nothing.ics")
    replaced = await anonymous.get(first["path"])
    assert (await anonymous.get(second["path"])).status_code == 200
    other = guard(signed_in, "zhao")
    assert (await other.post(f"{API}/duty/feeds/{second['id']}/revocation")).status_code == 404
    await ok(await wang.post(f"{API}/duty/feeds/{second['id']}/revocation"), 204)
    revoked = await anonymous.get(second["path"])
    third = await ok(await wang.post(f"{API}/duty/feeds"), 201)
    await ok(await manager.patch(f"{API}/responders/wang", json={"active": False}))
    gone = await anonymous.get(third["path"])
    answers = {
        (one.status_code, one.content, one.headers["cache-control"])
        for one in (unknown, replaced, revoked, gone)
    }
    assert answers == {(404, b"not found", "no-store")}


async def test_calendar_addresses_are_not_asked_for_often(anonymous, clock):
    statuses = [(await anonymous.get("/calendar/guess.ics")).status_code for _ in range(31)]
    assert statuses == [404] * 30 + [429]
    clock.advance(seconds=61)
    assert (await anonymous.get("/calendar/guess.ics")).status_code == 404


async def test_gap_of_the_next_day_is_read_and_goes_to_those_who_lead(manager, database, clock, world):
    found = await ok(await manager.get(f"{API}/roster-gaps"))
    assert {"operator", "responder"} <= {one["need"] for one in found}
    with database.write() as session:
        session.add(Team(id="office", compound="honghua", name="物业", kind=TeamKind.PROPERTY))
        session.flush()
        session.add(Responder(id="boss", team="office", name="boss 某", leads=True))
        session.flush()
        assert managers(session, "honghua") == ["boss"]
        gaps.check(session, "honghua", clock.now())
        assert {row.need for row in gaps.open_gaps(session, "honghua")} >= {"operator", "responder"}
