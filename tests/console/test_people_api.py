"""People and what hangs on them, over the API: who may, what is noted, what is told."""

import datetime as dt

import pytest
from sqlalchemy import select, text

from console.accounts.models import IdempotencyKey, Role
from registry.models import Dwelling, DwellingState, Grid, Residence, ResidenceKind, Unit
from storage.audit import AuditRow

API = "/api/v1"
PURPOSE = {"purpose": "registry_maintenance"}


@pytest.fixture
def manager(signed_in):
    return signed_in(Role.PROPERTY_MANAGER)


@pytest.fixture
def homes(world, database):
    """Dwellings d1 in the grid of `grid_worker`'s user, d2 in nobody's; the adult lives in d1."""
    with database.write() as session:
        session.add(Unit(id="u1", compound="honghua", building="b1", name="1单元"))
        session.add(Grid(id="g1", compound="honghua", code="01", name="一"))
        session.flush()
        for room, grid in (("101", "g1"), ("102", None)):
            session.add(
                Dwelling(
                    id=f"d{room[-1]}",
                    compound="honghua",
                    unit="u1",
                    floor=1,
                    room_no=room,
                    state=DwellingState.OCCUPIED,
                    grid=grid,
                    address_key=f"1-1-{room}",
                )
            )
        session.flush()
        session.add(
            Residence(
                id="r1",
                compound="honghua",
                person="adult",
                dwelling="d1",
                kind=ResidenceKind.TENANT,
                since=dt.date(2026, 1, 1),
            )
        )
    return world


@pytest.fixture
def grid_worker(signed_in, homes, database):
    browser = signed_in(Role.GRID_WORKER)
    with database.write() as session:
        session.get_one(Grid, "g1").worker = browser.user.id
    return browser


def looks(database, action: str) -> list[tuple[str, str]]:
    with database.read() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq))
        return [(row.subject, row.detail) for row in rows]


async def made(answer) -> dict:
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


# ── people ────────────────────────────────────────────────────────────────────


async def test_person_is_registered_once_and_the_answer_names_nobody(manager, world, database):
    body = {"name": "王五五", "phone": "100 1234 5678", "id_number": "11010519491231002x"}
    answers = [
        await manager.post(f"{API}/people", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    ]
    assert answers[0].status_code == 201
    assert answers[0].json() == answers[1].json()
    assert set(answers[0].json()) == {"id", "version"}
    with database.read() as session:
        kept = session.scalars(select(IdempotencyKey.response)).one()
        assert set(kept) == {"id", "version"}
    person = answers[0].json()["id"]
    view = await made(await manager.get(f"{API}/people/{person}", params=PURPOSE))
    assert (view["name"], view["phone"], view["id_number"]) == (
        "王五五", "10012345678", "110105********002X",
    )  # fmt: skip
    assert "1949" not in str(view)
    assert looks(database, "person.registered") == [(f"person:{person}", "")]


async def test_refusal_says_why_and_repeats_nothing(manager, world):
    answer = await manager.post(f"{API}/people", json={"name": "王五", "id_number": "110105194912310021"})
    assert (answer.status_code, answer.json()["code"]) == (409, "id_number_check_digit")
    assert "1101051949" not in answer.text
    answer = await manager.post(f"{API}/people", json={"name": "", "phone": "1"})
    assert answer.status_code == 422


async def test_edit_names_fields_in_the_log_and_no_contents(manager, world, database):
    answer = await manager.patch(f"{API}/people/adult", json={"version": 1, "phone": "10087654321"})
    assert answer.json() == {"id": "adult", "version": 2}
    assert looks(database, "person.edited") == [("person:adult", "phone")]
    view = await made(await manager.get(f"{API}/people/adult", params=PURPOSE))
    assert (view["name"], view["phone"]) == ("张三", "10087654321")
    stale = await manager.patch(f"{API}/people/adult", json={"version": 1, "phone": None})
    assert (stale.status_code, stale.json()["code"], stale.json()["current_version"]) == (
        409, "stale_version", 2,
    )  # fmt: skip


async def test_null_takes_away_and_what_is_not_sent_stays(manager, world):
    edit = {"version": 1, "phone": None, "born_on": None, "hukou_registered_here": True}
    await made(await manager.patch(f"{API}/people/adult", json=edit))
    view = await made(await manager.get(f"{API}/people/adult", params=PURPOSE))
    assert (view["phone"], view["name"], view["hukou_registered_here"]) == (None, "张三", True)


async def test_person_of_another_compound_is_nobody_here(manager, world):
    for method, path, body in (
        ("PATCH", "/people/stranger", {"version": 1, "name": "x"}),
        ("POST", "/people/stranger/residences", {"dwelling": "d", "kind": "tenant", "since": "2026-01-01"}),
        ("POST", "/people/stranger/credentials", {"kind": "card", "ref": "1"}),
        ("POST", "/households", {"head": "stranger"}),
        ("POST", "/vehicles", {"plate": "云M54321", "owner": "stranger"}),
    ):
        answer = await manager.request(method, API + path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "person_not_found"), path


# ── a grid worker's reach ─────────────────────────────────────────────────────


async def test_grid_worker_sees_who_is_in_the_own_grid(grid_worker, database):
    assert (await grid_worker.get(f"{API}/people/adult", params=PURPOSE)).status_code == 200
    answer = await grid_worker.get(f"{API}/people/child", params=PURPOSE)
    assert (answer.status_code, answer.json()["code"]) == (404, "person_not_found")
    consents = [
        (await grid_worker.get(f"{API}/people/{one}/consents", params=PURPOSE)).status_code
        for one in ("adult", "child")
    ]
    assert consents == [200, 404]
    # A household that lives in the grid brings its members with it.
    with database.write() as session:
        session.execute(text("UPDATE households SET dwelling = 'd1' WHERE id = 'h1'"))
    assert (await grid_worker.get(f"{API}/people/child", params=PURPOSE)).status_code == 200
    assert (await grid_worker.get(f"{API}/households/h1", params=PURPOSE)).status_code == 200
    with database.write() as session:
        session.execute(text("UPDATE households SET dwelling = 'd2' WHERE id = 'h1'"))
    assert (await grid_worker.get(f"{API}/people/child", params=PURPOSE)).status_code == 404
    assert (await grid_worker.get(f"{API}/households/h1", params=PURPOSE)).status_code == 404


async def test_grid_worker_verifies_in_the_own_grid_alone(grid_worker, database):
    done = await grid_worker.post(f"{API}/residences/r1/verification", json={"version": 1})
    assert done.json() == {"id": "r1", "version": 2}
    with database.read() as session:
        row = session.get_one(Residence, "r1")
        assert (row.verified_on, row.verified_by) == (dt.date(2026, 11, 23), grid_worker.user.id)
    assert looks(database, "residence.verified") == [("person:adult", "r1")]
    with database.write() as session:
        session.get_one(Residence, "r1").dwelling = "d2"
    answer = await grid_worker.post(f"{API}/residences/r1/verification", json={"version": 3})
    assert (answer.status_code, answer.json()["code"]) == (404, "residence_not_found")


async def test_grid_worker_sees_cars_and_staff_of_the_own_grid(grid_worker, manager, homes):
    cars = [
        (await made(await manager.post(f"{API}/vehicles", json={"plate": plate, "owner": owner})))["id"]
        for plate, owner in (("云M00001", "adult"), ("云M00002", "child"))
    ]
    found = [(await grid_worker.get(f"{API}/vehicles/{car}", params=PURPOSE)).status_code for car in cars]
    assert found == [200, 404]
    firm = (await made(await manager.post(f"{API}/organisations", json={"name": "店", "kind": "shop"})))["id"]
    for person in ("adult", "child"):
        work = {"person": person, "since": "2026-01-01"}
        await made(await manager.post(f"{API}/organisations/{firm}/staff", json=work))
    seen = await made(await grid_worker.get(f"{API}/organisations/{firm}/staff", params=PURPOSE))
    assert [one["person"] for one in seen["items"]] == ["adult"]


# ── households and residences ─────────────────────────────────────────────────


async def test_household_is_made_changed_and_left(manager, homes, database):
    first = (await made(await manager.post(f"{API}/people", json={"name": "甲"})))["id"]
    second = (await made(await manager.post(f"{API}/people", json={"name": "乙"})))["id"]
    third = (await made(await manager.post(f"{API}/people", json={"name": "丙"})))["id"]
    body = {"head": first, "members": [second], "dwelling": "d2"}
    household = (await made(await manager.post(f"{API}/households", json=body)))["id"]
    path = f"{API}/households/{household}"
    await made(await manager.post(f"{path}/members", json={"person": third, "version": 1}))
    view = await made(await manager.get(path, params=PURPOSE))
    assert {one["id"]: one["head"] for one in view["members"]} == {first: True, second: False, third: False}
    looked = {subject for subject, _ in looks(database, "household.viewed")}
    assert looked == {f"household:{household}", *(f"person:{one}" for one in (first, second, third))}

    refused = await manager.delete(f"{path}/members/{first}", params={"version": 2})
    assert refused.json()["code"] == "head_leaves"
    edit = {"version": view["version"], "head": second, "dwelling": None}
    await made(await manager.patch(path, json=edit))
    await made(await manager.delete(f"{path}/members/{first}", params={"version": 2}))
    view = await made(await manager.get(path, params=PURPOSE))
    assert (view["head"], view["dwelling"], len(view["members"])) == (second, None, 2)
    assert (await manager.delete(f"{path}/members/{first}", params={"version": 3})).status_code == 404


async def test_move_ends_one_residence_and_begins_another(manager, homes, database):
    body = {"on": "2026-11-23", "dwelling": "d2", "kind": "owner_occupier"}
    moved = await made(await manager.post(f"{API}/people/adult/moves", json=body))
    assert [row["id"] for row in moved["ended"]] == ["r1"]
    view = await made(await manager.get(f"{API}/people/adult", params=PURPOSE))
    assert [(r["dwelling"], r["kind"], r["until"]) for r in view["residences"]] == [
        ("d1", "tenant", "2026-11-22"),
        ("d2", "owner_occupier", None),
    ]
    out = await made(await manager.post(f"{API}/people/adult/moves", json={"on": "2026-11-30"}))
    assert (out["begun"], len(out["ended"])) == (None, 1)
    assert [detail for _, detail in looks(database, "person.moved")] == ["ended=1 begun=1", "ended=1 begun=0"]
    half = await manager.post(f"{API}/people/adult/moves", json={"on": "2026-11-30", "dwelling": "d1"})
    assert (half.status_code, half.json()["code"]) == (422, "move_incomplete")


async def test_residence_is_refused_where_it_cannot_be(manager, homes):
    path, body = f"{API}/people/adult/residences", {"dwelling": "d1", "kind": "tenant", "since": "2026-06-01"}
    again = await manager.post(path, json=body)
    assert (again.status_code, again.json()["code"], again.json()["residence"]) == (
        409, "residence_overlaps", "r1",
    )  # fmt: skip
    backwards = await manager.post(path, json=body | {"dwelling": "d2", "until": "2026-05-31"})
    assert backwards.json()["code"] == "ends_before_it_begins"
    impossible = await manager.post(path, json=body | {"since": "2026-02-30"})
    assert impossible.status_code == 422
    edit = {"version": 1, "until": "2026-12-31"}
    assert (await made(await manager.patch(f"{API}/residences/r1", json=edit)))["version"] == 2
    kept = (await made(await manager.get(f"{API}/people/adult", params=PURPOSE)))["residences"][0]
    assert (kept["kind"], kept["since"], kept["until"]) == ("tenant", "2026-01-01", "2026-12-31")


# ── organisations and vehicles ────────────────────────────────────────────────


async def test_organisation_has_premises_and_staff_for_a_time(manager, homes, database):
    body = {"name": "诊所", "kind": "company", "registration_no": "91350100m000100y43"}
    firm = (await made(await manager.post(f"{API}/organisations", json=body)))["id"]
    path = f"{API}/organisations/{firm}"
    place = {"dwelling": "d2", "since": "2026-01-01"}
    premises = (await made(await manager.post(f"{path}/premises", json=place)))["id"]
    work = {"person": "adult", "since": "2026-01-01"}
    link = (await made(await manager.post(f"{path}/staff", json=work)))["id"]
    view = await made(await manager.get(path))
    assert view["registration_no"] == "91350100M000100Y43"
    assert [one["dwelling"] for one in view["premises"]] == ["d2"]
    today = PURPOSE | {"on": "2026-11-23"}
    assert len((await made(await manager.get(f"{path}/staff", params=today)))["items"]) == 1
    assert ("person:adult", firm) in looks(database, "staff.viewed")
    end = {"last_day": "2026-11-22"}
    await made(await manager.post(f"{API}/staff/{link}/end", json=end))
    await made(await manager.post(f"{API}/premises/{premises}/end", json=end))
    assert (await made(await manager.get(f"{path}/staff", params=today)))["items"] == []
    renamed = {"version": 1, "name": "新诊所", "kind": "company"}
    assert (await made(await manager.patch(path, json=renamed)))["version"] == 2


async def test_organisations_are_listed_in_pages(manager, world):
    for number in range(3):
        await made(await manager.post(f"{API}/organisations", json={"name": f"{number}", "kind": "shop"}))
    first = await made(await manager.get(f"{API}/organisations", params={"limit": 2}))
    assert [one["name"] for one in first["items"]] == ["0", "1"]
    more = {"limit": 2, "cursor": first["next_cursor"]}
    rest = await made(await manager.get(f"{API}/organisations", params=more))
    assert ([one["name"] for one in rest["items"]], rest["next_cursor"]) == (["2"], None)


async def test_vehicle_and_who_may_drive_it(manager, world):
    body = {"plate": "云m·54321", "household": "h1"}
    car = (await made(await manager.post(f"{API}/vehicles", json=body)))["id"]
    path = f"{API}/vehicles/{car}"
    friend = (await made(await manager.post(f"{API}/people", json={"name": "甲"})))["id"]
    guest = (await made(await manager.post(f"{API}/people", json={"name": "乙"})))["id"]
    leave = {"person": friend, "since": "2026-01-01"}
    given = (await made(await manager.post(f"{path}/drivers", json=leave)))["id"]
    passed_on = leave | {"person": guest, "granted_by": friend}
    await made(await manager.post(f"{path}/drivers", json=passed_on))
    view = await made(await manager.get(path, params=PURPOSE))
    assert (view["plate"], set(view["may_drive"])) == ("云M54321", {"adult", "child", friend, guest})
    circle = leave | {"granted_by": guest}
    assert (await manager.post(f"{path}/drivers", json=circle)).json()["code"] == "driver_circle"
    ended = await made(await manager.post(f"{API}/drivers/{given}/end", json={"last_day": "2026-11-22"}))
    assert ended == {"also_ended": [guest]}
    wrong = await manager.patch(path, json={"version": 1, "plate": "M5", "household": "h1"})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "plate_malformed")
    assert (await manager.delete(path, params={"version": 9})).json()["code"] == "stale_version"
    assert (await manager.delete(path, params={"version": 1})).status_code == 204
    assert (await manager.get(path, params=PURPOSE)).status_code == 404


# ── credentials ───────────────────────────────────────────────────────────────


async def test_pin_is_never_shown_and_of_a_card_only_the_end(manager, world, database):
    path = f"{API}/people/adult/credentials"
    await made(await manager.post(path, json={"kind": "pin", "ref": "295817"}))
    await made(await manager.post(path, json={"kind": "card", "ref": "AB12 34CD"}))
    answer = await manager.get(path, params=PURPOSE)
    assert "295817" not in answer.text
    assert "AB1234CD" not in answer.text
    shown = [(one["kind"], one["ref_end"]) for one in answer.json()["items"]]
    # Made before there were credentials, the person has got the guard's call with the first.
    assert sorted(shown) == [("card", "34CD"), ("pin", None)]
    assert looks(database, "credentials.viewed") == [("person:adult", "count=2")]
    details = [detail for _, detail in looks(database, "credential.issued")]
    assert [detail.split()[0] for detail in details] == ["pin", "card"]
    assert "295817" not in str(details)


async def test_last_credential_stays_unless_the_guard_takes_over(manager, world):
    person = (await made(await manager.post(f"{API}/people", json={"name": "甲"})))["id"]
    path = f"{API}/people/{person}/credentials"
    (call,) = (await made(await manager.get(path, params=PURPOSE)))["items"]
    step = f"{API}/credentials/{call['id']}"
    refused = await manager.post(f"{step}/end", json={"version": 1})
    assert (refused.status_code, refused.json()["code"]) == (409, "last_non_face_credential")
    card = await made(await manager.post(path, json={"kind": "card", "ref": "77"}))
    await made(await manager.post(f"{step}/end", json={"version": 1}))
    replaced = {"version": 1, "replace_with_guard_call": True}
    await made(await manager.post(f"{API}/credentials/{card['id']}/suspend", json=replaced))
    states = {
        (one["kind"], one["status"]) for one in (await made(await manager.get(path, params=PURPOSE)))["items"]
    }
    assert states == {("guard_call", "ended"), ("card", "suspended"), ("guard_call", "active")}
    back = {"version": 2, "ends_at": "2027-01-01T00:00:00+08:00"}
    await made(await manager.post(f"{API}/credentials/{card['id']}/renew", json=back))
    narrowed = {"version": 3, "zones": ["gate"]}
    await made(await manager.patch(f"{API}/credentials/{card['id']}", json=narrowed))
    naive = {"version": 4, "ends_at": "2027-01-01T00:00:00"}
    answer = await manager.post(f"{API}/credentials/{card['id']}/renew", json=naive)
    assert answer.status_code == 422


async def test_face_needs_consent(manager, world):
    answer = await manager.post(f"{API}/people/adult/credentials", json={"kind": "face"})
    assert (answer.status_code, answer.json()["code"]) == (409, "consent_missing")


async def test_cars_of_who_has_left_are_listed(manager, homes, database):
    body = {"plate": "云M54321", "owner": "adult"}
    car = (await made(await manager.post(f"{API}/vehicles", json=body)))["id"]
    path = f"{API}/vehicles/to-review"
    assert (await made(await manager.get(path, params=PURPOSE)))["items"] == []
    await made(await manager.post(f"{API}/people/adult/moves", json={"on": "2026-11-22"}))
    assert (await made(await manager.get(path, params=PURPOSE)))["items"] == [
        {"vehicle": car, "person": "adult", "ended_on": "2026-11-22"}
    ]
    assert looks(database, "vehicle.viewed") == [("person:adult", car)]


async def test_cards_of_who_has_left_are_listed_and_taken_back(manager, homes, database):
    card = {"kind": "card", "ref": "77"}
    made_card = await made(await manager.post(f"{API}/people/adult/credentials", json=card))
    await made(await manager.post(f"{API}/people/adult/moves", json={"on": "2026-11-22"}))
    listed = (await made(await manager.get(f"{API}/credentials/to-review", params=PURPOSE)))["items"]
    assert [(one["credential"], one["person"], one["ended_on"]) for one in listed] == [
        (made_card["id"], "adult", "2026-11-22")
    ]
    body = {"credentials": [made_card["id"], "unknown"]}
    done = await made(await manager.post(f"{API}/credentials/revocations", json=body))
    assert done == {"suspended": [made_card["id"]]}
    suspended = looks(database, "credential.suspend")
    assert suspended == [("person:adult", f"end_of_residence {made_card['id']}")]
    assert (await made(await manager.get(f"{API}/credentials/to-review", params=PURPOSE)))["items"] == []
