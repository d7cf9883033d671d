"""Visitor passes over the API: who may ask and decide, and what a guard is told."""

import datetime as dt

import pytest
from console_world import START
from sqlalchemy import select

from bus.messages import decode
from console.accounts.models import IdempotencyKey, Role
from devices.models import Device
from registry.models import (
    Dwelling,
    Household,
    Organisation,
    Person,
    Premises,
    Residence,
    Unit,
    VisitorPass,
)
from storage.audit import AuditRow, verify
from storage.events import OutboxRow

PHONE, PLATE = "10012345678", "云M54321"
COURIER = {"kind": "courier", "host": {"kind": "household", "id": "h1"}}
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def home(world, database):
    """h1 lives in building 1, h2 beside it; a shop has its premises there."""
    since = START.date() - dt.timedelta(days=9)
    with database.write() as session:
        session.add(Unit(id="u1", compound="honghua", building="b1", name="1"))
        session.flush()
        for number in "123":
            session.add(
                Dwelling(
                    id=f"d{number}", compound="honghua", unit="u1", floor=1, room_no=number, state="occupied"
                )
            )
        session.add(Organisation(id="shop", compound="honghua", name="店", kind="shop"))
        session.flush()
        session.get_one(Household, "h1").dwelling = "d1"
        session.add(Household(id="h2", compound="honghua", dwelling="d2"))
        session.flush()
        session.add(Person(id="neighbour", compound="honghua", household="h2", name="王五"))
        session.add(Premises(id="p1", compound="honghua", organisation="shop", dwelling="d3", since=since))
        session.flush()
        for person, dwelling in (("adult", "d1"), ("neighbour", "d2")):
            session.add(
                Residence(
                    id=f"r-{person}", compound="honghua", person=person, dwelling=dwelling, kind="tenant",
                    since=since,
                )
            )  # fmt: skip
    return world


@pytest.fixture
def resident(home, signed_in, database):
    def sign_in(person: str | None, name: str = "resident"):
        browser = signed_in(Role.RESIDENT, name=name)
        with database.write() as session:
            session.get_one(type(browser.user), browser.user.id).person_id = person
        return browser

    return sign_in


async def made(browser, **asked) -> dict:
    answer = await browser.post("/api/v1/passes", json=COURIER | asked)
    assert answer.status_code == 201, answer.text
    return answer.json()


def audited(database) -> list[tuple[str, str, str]]:
    with database.read() as session:
        assert verify(session) is None
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq))
        return [(row.action, row.subject, row.detail) for row in rows]


# ── asking ────────────────────────────────────────────────────────────────────


async def test_host_asks_for_a_courier_who_may_come_at_once(resident, database):
    host = await resident("adult").post("/api/v1/passes", json={"kind": "courier", "phone": PHONE})
    body = host.json()
    assert (host.status_code, body["state"], body["uses"], body["max_uses"]) == (201, "approved", 0, 1)
    assert body["host"] == {"kind": "household", "id": "h1"}
    assert body["destination"] == "1"
    assert body["token"].startswith("RW1:")
    assert PHONE not in host.text
    assert audited(database) == [("pass.approved", f"visitor_pass:{body['id']}", "courier")]


async def test_building_work_waits_for_the_office(resident, operator):
    asked = await made(resident("adult"), kind="contractor")
    assert asked["state"] == "requested"
    path = f"/api/v1/passes/{asked['id']}/decision"
    own = await resident("adult", "again").post(path, json={"verdict": "approve", "version": 1})
    assert (own.status_code, own.json()["code"]) == (409, "pass_needs_staff")
    office = await operator.post(path, json={"verdict": "approve", "version": 1})
    assert (office.json()["state"], office.json()["version"]) == ("approved", 2)


async def test_pass_for_chosen_zones_waits_for_the_office(resident):
    assert (await made(resident("adult"), zones=["gate"]))["state"] == "requested"


async def test_guard_gives_what_a_guards_word_is_enough_for(home, signed_in):
    guard = signed_in(Role.GUARD)
    assert (await made(guard))["state"] == "approved"
    assert (await made(guard, kind="event"))["state"] == "requested"
    nobody = await guard.post("/api/v1/passes", json={"kind": "courier"})
    assert nobody.json()["code"] == "host_needed"


async def test_guard_asks_the_host_and_the_host_decides(home, signed_in, resident):
    asked = await made(signed_in(Role.GUARD), ask_host=True)
    path = f"/api/v1/passes/{asked['id']}/decision"
    host, neighbour = resident("adult"), resident("neighbour", "next-door")
    waiting = await host.get("/api/v1/passes?when=waiting")
    assert [item["id"] for item in waiting.json()["items"]] == [asked["id"]]
    said = {"verdict": "approve", "version": 1}
    assert (await neighbour.post(path, json=said)).json()["code"] == "visitor_pass_not_found"
    assert (await host.post(path, json=said)).json()["state"] == "approved"
    again = await host.post(path, json=said)
    assert (again.status_code, again.json()["code"]) == (409, "stale_version")
    decided = await host.post(path, json=said | {"version": 2})
    assert decided.json()["code"] == "pass_decided"


async def test_resident_has_visitors_of_the_own_household_alone(resident):
    browser = resident("adult")
    foreign = await browser.post("/api/v1/passes", json=COURIER | {"host": {"kind": "household", "id": "h2"}})
    assert (foreign.status_code, foreign.json()["code"]) == (409, "pass_own_host")
    own = await made(browser, host={"kind": "person", "id": "adult"})
    assert own["host"] == {"kind": "person", "id": "adult"}


async def test_resident_without_a_household_is_told_so(resident):
    answer = await resident(None).post("/api/v1/passes", json={"kind": "courier"})
    assert (answer.status_code, answer.json()["code"]) == (409, "household_unknown")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"plate": "M54321"}, 409, "plate_malformed"),
        ({"phone": "123"}, 409, "phone_malformed"),
        ({"host": {"kind": "household", "id": "nobody"}}, 404, "household_not_found"),
        ({"host": {"kind": "person", "id": "stranger"}}, 404, "person_not_found"),
        ({"host": {"kind": "person", "id": "child"}}, 409, "host_not_here"),
        ({"zones": ["far"]}, 404, "zone_not_found"),
        ({"ends_at": "2026-11-23T06:00:00Z"}, 409, "pass_order"),
        ({"ends_at": "2026-11-25T06:00:00Z"}, 409, "pass_too_long"),
        ({"ends_at": "2026-11-23T08:00:00"}, 422, "invalid_request"),
        ({"kind": "burglar"}, 422, "invalid_request"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_code(home, operator, database, change, status, code):
    answer = await operator.post("/api/v1/passes", json=COURIER | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    with database.read() as session:
        assert session.scalars(select(VisitorPass)).all() == []


# ── the token ─────────────────────────────────────────────────────────────────


async def test_same_request_again_makes_one_pass_and_shows_no_token_twice(home, operator, database):
    headers = {"Idempotency-Key": "k-1"}
    first = await operator.post("/api/v1/passes", json=COURIER, headers=headers)
    again = await operator.post("/api/v1/passes", json=COURIER, headers=headers)
    assert again.json() == first.json() | {"token": None}
    with database.read() as session:
        assert len(session.scalars(select(VisitorPass)).all()) == 1
        kept = session.scalars(select(IdempotencyKey)).one()
        assert first.json()["token"] not in str(kept.response)


async def test_lost_qr_gets_a_new_token_and_the_old_one_opens_nothing(home, operator):
    first = await made(operator)
    answer = await operator.post(f"/api/v1/passes/{first['id']}/token", json={"version": 1})
    token = answer.json()["token"]
    old = await operator.post("/api/v1/passes/search", json={"token": first["token"]})
    new = await operator.post("/api/v1/passes/search", json={"token": token})
    assert old.json() == {"matches": [], "visitor_pass": None}
    assert new.json()["visitor_pass"]["id"] == first["id"]


async def test_organisation_gets_many_passes_at_once(home, operator, signed_in, database):
    path = "/api/v1/organisations/shop/passes"
    visitors = [{"plate": f"云M5432{n}", "phone": f"1001234000{n}"} for n in range(3)]
    headers = {"Idempotency-Key": "k-2"}
    answer = await operator.post(path, json={"visitors": visitors}, headers=headers)
    tokens = [item["token"] for item in answer.json()["items"]]
    assert len(set(tokens)) == 3
    assert all(tokens)
    again = await operator.post(path, json={"visitors": visitors}, headers=headers)
    assert [item["token"] for item in again.json()["items"]] == [None] * 3
    assert audited(database) == [("passes.issued", "organisation:shop", "business count=3")]
    bad = await operator.post(path, json={"visitors": [*visitors, {"plate": "x"}]})
    assert bad.json()["code"] == "pass_of_order"
    assert (bad.json()["index"], bad.json()["cause"]) == (4, "plate_malformed")
    missing = await operator.post("/api/v1/organisations/none/passes", json={"visitors": visitors})
    assert missing.json()["code"] == "organisation_not_found"
    stranger = await signed_in(Role.RESIDENT).post(path, json={"visitors": visitors})
    assert stranger.json()["code"] == "organisation_not_found"


# ── changing ──────────────────────────────────────────────────────────────────


async def test_pass_is_extended_and_revoked_by_its_host(resident, clock, database):
    browser = resident("adult")
    asked = await made(browser, kind="visitor")
    path = f"/api/v1/passes/{asked['id']}"
    clock.advance(hours=11)
    later = (clock.now() + 20 * HOUR).isoformat()
    longer = await browser.post(f"{path}/extension", json={"ends_at": later, "version": 1})
    assert dt.datetime.fromisoformat(longer.json()["ends_at"]) == clock.now() + 20 * HOUR
    ended = await browser.post(f"{path}/revocation", json={"version": 2})
    assert ended.json()["state"] == "revoked"
    gone = await browser.post(f"{path}/extension", json={"ends_at": later, "version": 3})
    assert gone.json()["code"] == "pass_not_alive"
    assert [action for action, _, _ in audited(database)] == [
        "pass.approved",
        "pass.extended",
        "pass.revoked",
    ]


async def test_resident_cannot_touch_a_neighbours_pass(resident):
    asked = await made(resident("adult"))
    neighbour = resident("neighbour", "next-door")
    path = f"/api/v1/passes/{asked['id']}"
    for answer in (
        await neighbour.get(f"{path}?purpose=resident_request"),
        await neighbour.post(f"{path}/revocation", json={"version": 1}),
        await neighbour.post(f"{path}/token", json={"version": 1}),
        await neighbour.post(f"{path}/extension", json={"version": 1, "ends_at": "2026-11-23T09:00:00Z"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "visitor_pass_not_found")
    assert (await neighbour.get("/api/v1/passes?when=all")).json()["items"] == []


# ── looking ───────────────────────────────────────────────────────────────────


async def test_guard_is_told_when_and_where_and_nothing_else(home, signed_in, operator):
    asked = await made(operator, phone=PHONE, plate=PLATE)
    guard = signed_in(Role.GUARD)
    listed = await guard.get("/api/v1/passes")
    told = {"id", "kind", "starts_at", "ends_at", "destination"}
    assert [set(item) for item in listed.json()["items"]] == [told]
    one = await guard.get(f"/api/v1/passes/{asked['id']}?purpose=monitoring")
    assert set(one.json()) == told
    found = await guard.post("/api/v1/passes/search", json={"tail": PHONE[-4:], "zone": "gate"})
    assert set(found.json()["visitor_pass"]) == told | {"allowed", "reason"}
    for answer in (listed, one, found):
        assert not any(secret in answer.text for secret in ("h1", "张三", PHONE, PLATE))


async def test_office_sees_plate_and_phone_for_a_purpose(home, operator, database):
    asked = await made(operator, phone=PHONE, plate=PLATE)
    assert PLATE not in (await operator.get("/api/v1/passes")).text
    assert (await operator.get(f"/api/v1/passes/{asked['id']}")).status_code == 422
    one = await operator.get(f"/api/v1/passes/{asked['id']}?purpose=review")
    assert (one.json()["phone"], one.json()["plate"]) == (PHONE, PLATE)
    assert audited(database)[-1] == ("pass.viewed", f"visitor_pass:{asked['id']}", "")


async def test_pass_of_another_compound_is_not_found(home, operator, rooms, database):
    with rooms.database.write() as session:
        session.add(
            VisitorPass(
                id="far-pass",
                compound="sifang",
                kind="visitor",
                zones=[],
                starts_at=START,
                ends_at=START + HOUR,
            )
        )
    assert (await operator.get("/api/v1/passes?when=all")).json()["items"] == []
    answer = await operator.get("/api/v1/passes/far-pass?purpose=review")
    assert (answer.status_code, answer.json()["code"]) == (404, "visitor_pass_not_found")


# ── at the gate ───────────────────────────────────────────────────────────────


async def test_guard_finds_checks_and_uses_a_pass(home, signed_in, operator, database):
    asked = await made(operator, plate=PLATE)
    guard = signed_in(Role.GUARD)
    for sought in ({"token": asked["token"]}, {"plate": "云m·54321"}):
        found = await guard.post("/api/v1/passes/search", json=sought | {"zone": "gate"})
        assert (found.json()["visitor_pass"]["id"], found.json()["visitor_pass"]["allowed"]) == (
            asked["id"],
            True,
        )
    path = f"/api/v1/passes/{asked['id']}"
    assert (await guard.post(f"{path}/check", json={"zone": "gate"})).json()["reason"] == "valid"
    reasons = []
    for use_id, direction in [("u-1", "in"), ("u-1", "in"), ("u-2", "in"), ("u-3", "out")]:
        used = {"zone": "gate", "use_id": use_id, "direction": direction}
        reasons.append((await guard.post(f"{path}/uses", json=used)).json()["reason"])
    assert reasons == ["valid", "repeated", "used_up", "leaving"]
    assert [detail for action, _, detail in audited(database) if action == "pass.used"] == reasons
    assert (await guard.post(f"{path}/check", json={"zone": "far"})).json()["code"] == "zone_not_found"


async def test_rules_hear_of_a_visitor_whom_the_guard_of_a_lane_let_in(home, signed_in, operator, database):
    with database.write() as session:
        session.get_one(Device, "cam-1").lane = "lane-1"
    asked = await made(operator)
    guard = signed_in(Role.GUARD)
    path = f"/api/v1/passes/{asked['id']}/uses"
    for use_id, direction in [("u-1", "in"), ("u-1", "in"), ("u-2", "in"), ("u-3", "out")]:
        used = {"zone": "gate", "use_id": use_id, "direction": direction, "lane": "lane-1"}
        assert (await guard.post(path, json=used)).status_code == 200
    await guard.post(path, json={"zone": "gate", "use_id": "u-4", "direction": "out"})
    with database.read() as session:
        told = [decode(row.payload) for row in session.scalars(select(OutboxRow).order_by(OutboxRow.seq))]
    heard = [(event.type, event.lane, event.direction, event.attributes) for event in told]
    of_pass = {"visitor_pass": asked["id"]}
    assert heard == [
        ("visitor.checked_in", "lane-1", "in", of_pass),
        ("visitor.checked_out", "lane-1", "out", of_pass),
    ]
    nowhere = await guard.post(path, json={"zone": "gate", "use_id": "u-5", "direction": "out", "lane": "x"})
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "lane_not_found")


async def test_several_passes_of_one_tail_show_kinds_and_buildings_only(home, signed_in, operator, database):
    await made(operator, phone=PHONE)
    await made(operator, kind="visitor", phone=f"1009999{PHONE[-4:]}")
    found = await signed_in(Role.GUARD).post("/api/v1/passes/search", json={"tail": PHONE[-4:]})
    body = found.json()
    assert body["visitor_pass"] is None
    assert [(set(match), match["kind"], match["destination"]) for match in body["matches"]] == [
        ({"id", "kind", "destination"}, "courier", "1"),
        ({"id", "kind", "destination"}, "visitor", "1"),
    ]
    assert audited(database)[-1] == ("pass.searched", "visitor_pass:*", "by=tail matches=2")


@pytest.mark.parametrize("sought", [{}, {"plate": PLATE, "tail": "5678"}, {"zone": "gate"}])
async def test_search_is_by_one_thing(home, operator, sought):
    assert (await operator.post("/api/v1/passes/search", json=sought)).status_code == 422


async def test_overstay_list_names_who_was_not_seen_to_leave(home, operator, signed_in, clock):
    asked = await made(operator)
    guard = signed_in(Role.GUARD)
    await guard.post(f"/api/v1/passes/{asked['id']}/uses", json={"zone": "gate", "use_id": "u-1"})
    assert (await guard.get("/api/v1/passes?when=overstayed")).json()["items"] == []
    clock.advance(hours=2, minutes=31)
    listed = await guard.get("/api/v1/passes?when=overstayed")
    assert [item["id"] for item in listed.json()["items"]] == [asked["id"]]
