"""以人找房, 以房管人, searching and reports through the API: for a purpose, noted, and no further than one's reach."""

import pytest
from sqlalchemy import select

from console.accounts.models import Role
from registry.models import Grid, Residence, ResidenceKind, Vehicle
from storage.audit import AuditRow, verify
from tests.support import houses
from tests.support.houses import HERE, THERE, TODAY

API = "/api/v1"
WHY = {"purpose": "resident_request"}


@pytest.fixture
def place(database):
    """张三 and 张小 in 3幢1单元1801; another 张三, who rents 甲6幢701."""
    with database.write() as session:
        place = houses.found(session)
        home = houses.household(session, place.d31_1801)
        head = houses.person(session, "张三", phone="10012345678", household=home.id)
        child = houses.person(session, "张小", household=home.id, under_14=True)
        home.head_person_id = head.id
        houses.live(session, head, place.d31_1801, verified_on=TODAY)
        tenant = houses.person(session, "张三", id_number="11010519491231002X")
        houses.live(session, tenant, place.d6_701, ResidenceKind.TENANT, until=TODAY)
        session.add(Vehicle(id="v1", compound=HERE, plate="云M12345", household=home.id, version=1))
        place.home, place.head, place.child, place.tenant = home.id, head.id, child.id, tenant.id
        return place


@pytest.fixture
def grid_worker(signed_in, database, place):
    browser = signed_in(Role.GRID_WORKER)
    with database.write() as session:
        session.get_one(Grid, place.east).worker = browser.user.id
    return browser


def looks(database) -> list[tuple[str, str, str, str]]:
    with database.read() as session:
        assert verify(session) is None
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq))
        return [(row.action, row.purpose, row.subject, row.detail) for row in rows]


async def test_from_a_person_to_dwellings(operator, place, database):
    answer = await operator.get(f"{API}/people/{place.head}/dwellings", params=WHY)
    (home,) = answer.json()["items"]
    assert (home["dwelling"], home["address"], home["kind"], home["household"]) == (
        place.d31_1801,
        "3幢1单元18层1801室",
        "owner_occupier",
        place.home,
    )
    assert looks(database) == [
        ("person.dwellings_viewed", "resident_request", f"person:{place.head}", "found=1")
    ]


async def test_from_a_dwelling_to_its_people(operator, place, database):
    answer = await operator.get(f"{API}/dwellings/{place.d31_1801}/people", params=WHY)
    head, child = answer.json()["items"]
    assert (head["name"], head["head"], head["verified_on"]) == ("张三", True, "2026-11-23")
    assert (child["name"], child["kind"], child["under_14"]) == ("张小", None, True)
    noted = looks(database)
    assert noted[0] == (
        "dwelling.people_viewed",
        "resident_request",
        f"dwelling:{place.d31_1801}",
        "found=2",
    )
    assert {subject for _, _, subject, _ in noted[1:]} == {f"person:{place.head}", f"person:{place.child}"}
    assert "张三" not in str(noted)


async def test_a_day_may_be_asked_for_and_what_is_over(operator, place):
    path = f"{API}/dwellings/{place.d6_701}/people"
    assert len((await operator.get(path, params=WHY)).json()["items"]) == 1
    assert (await operator.get(path, params=WHY | {"on": "2026-11-24"})).json()["items"] == []
    ever = await operator.get(path, params=WHY | {"on": "2026-11-24", "ended": True})
    assert ever.json()["items"][0]["until"] == "2026-11-23"
    path = f"{API}/people/{place.tenant}/dwellings"
    assert (await operator.get(path, params=WHY | {"on": "2026-11-24"})).json()["items"] == []
    assert (
        len((await operator.get(path, params=WHY | {"on": "2026-11-24", "ended": True})).json()["items"]) == 1
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/people/{head}/dwellings"),
        ("GET", "/dwellings/{d31_1801}/people"),
        ("POST", "/people/search"),
    ],
)
async def test_without_a_purpose_nothing_is_shown(operator, place, database, method, path):
    answer = await operator.request(method, API + path.format(**vars(place)), json={"name": "张三"})
    assert answer.status_code == 422
    assert "张" not in answer.text
    assert looks(database) == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"name": "张三"}, ["head", "tenant"]),
        ({"name": "张三", "phone": "100 1234 5678"}, ["head"]),
        ({"id_number": "11010519491231002x"}, ["tenant"]),
        ({"plate": "云m·12345"}, ["head", "child"]),
        ({"name": "张"}, []),
        ({"external_id": "P-1"}, []),
    ],
)
async def test_people_are_found_by_what_is_known(operator, place, database, asked, found):
    answer = await operator.post(f"{API}/people/search", params=WHY, json=asked)
    ids = {getattr(place, who) for who in found}
    assert {item["id"] for item in answer.json()["items"]} == ids
    noted = looks(database)
    assert noted[0][:3] == ("people.searched", "resident_request", f"compound:{HERE}")
    assert noted[0][3] == f"by={','.join(asked)} found={len(ids)}"
    assert {subject for _, _, subject, _ in noted[1:]} == {f"person:{one}" for one in ids}
    assert all(value not in str(noted) for value in asked.values())


async def test_two_of_one_name_are_told_apart_by_where_they_live(operator, place):
    items = (await operator.post(f"{API}/people/search", params=WHY, json={"name": "张三"})).json()["items"]
    assert {item["id"]: item["addresses"] for item in items} == {
        place.head: ["3幢1单元18层1801室"],
        place.tenant: ["甲6幢7层701室"],
    }


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "nothing_asked"),
        ({"phone": "张三"}, "phone_characters"),
        ({"id_number": "1"}, "id_number_length"),
    ],
)
async def test_what_cannot_be_asked_is_said_so_and_nobody_looked(operator, place, database, asked, code):
    answer = await operator.post(f"{API}/people/search", params=WHY, json=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert looks(database) == []


async def test_a_grid_worker_sees_people_of_the_own_grids(grid_worker, place, database):
    own = await grid_worker.get(f"{API}/dwellings/{place.d31_1801}/people", params=WHY)
    assert len(own.json()["items"]) == 2
    for path, status, code in (
        (f"/dwellings/{place.d6_701}/people", 403, "forbidden"),
        (f"/people/{place.tenant}/dwellings", 404, "person_not_found"),
    ):
        answer = await grid_worker.get(API + path, params=WHY)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    found = await grid_worker.post(f"{API}/people/search", params=WHY, json={"name": "张三"})
    assert [item["id"] for item in found.json()["items"]] == [place.head]
    with database.write() as session:
        houses.live(session, session.get_one(houses.Person, place.head), place.d51_101)
    homes = await grid_worker.get(f"{API}/people/{place.head}/dwellings", params=WHY)
    assert [home["dwelling"] for home in homes.json()["items"]] == [place.d31_1801]


@pytest.mark.parametrize("role", [Role.GUARD, Role.VOLUNTEER, Role.RESIDENT, Role.POLICE, Role.AUDITOR])
async def test_whoever_may_not_look_gets_no_list(signed_in, place, database, role):
    browser = signed_in(role)
    for method, path in (
        ("GET", f"/dwellings/{place.d31_1801}/people"),
        ("GET", f"/people/{place.head}/dwellings"),
        ("POST", "/people/search"),
    ):
        answer = await browser.request(method, API + path, params=WHY, json={"name": "张三"})
        assert answer.status_code == 403
    assert looks(database) == []


async def test_people_of_another_compound_are_not_found(operator, place, database):
    with database.write() as session:
        there = houses.found(session, THERE)
        stranger = houses.person(session, "张三", compound=THERE)
        houses.live(session, stranger, there.d6_701)
        stranger_id = stranger.id
    assert (await operator.get(f"{API}/people/{stranger_id}/dwellings", params=WHY)).status_code == 404
    assert (await operator.get(f"{API}/dwellings/{there.d6_701}/people", params=WHY)).status_code == 404
    found = (await operator.post(f"{API}/people/search", params=WHY, json={"name": "张三"})).json()["items"]
    assert stranger_id not in {item["id"] for item in found}


# ── reports ───────────────────────────────────────────────────────────────────


@pytest.fixture
def manager(signed_in, place):
    return signed_in(Role.PROPERTY_MANAGER)


async def report(browser, name: str, **asked) -> dict:
    answer = await browser.get(f"{API}/reports/{name}", params=asked)
    assert answer.status_code == 200, answer.text
    assert "张" not in answer.text
    return answer.json()


async def test_what_does_not_coincide_is_counted_and_listed(manager, place, database):
    shown = await report(manager, "consistency", code=["tenant_not_let", "member_without_residence"])
    assert shown["on"] == "2026-11-23"
    assert shown["counts"]["never_verified"] == 1
    assert {(f["code"], f["person_id"]) for f in shown["findings"]} == {
        ("tenant_not_let", place.tenant),
        ("member_without_residence", place.child),
    }
    everything = await report(manager, "consistency", limit=1)
    assert {f["code"] for f in everything["findings"]} == {c for c, n in everything["counts"].items() if n}
    assert looks(database)[0] == (
        "report.consistency",
        "registry_maintenance",
        f"compound:{HERE}",
        "",
    )


async def test_tenancies_that_end(manager, place):
    (tenancy,) = (await report(manager, "tenancies"))["items"]
    assert (tenancy["person_id"], tenancy["stage"], tenancy["days_left"]) == (place.tenant, "t_1", 0)
    assert tenancy["address"] == "甲6幢7层701室"


async def test_how_long_ago_residences_were_verified(manager, place, database):
    shown = await report(manager, "verification", older_than=30)
    assert {age: n for age, n in shown["counts"].items() if n} == {"days_30": 1, "never": 1}
    assert [row["person_id"] for row in shown["items"]] == [place.tenant]


async def test_where_nobody_lives(manager, place, database):
    shown = await report(manager, "vacancies")
    assert len(shown["items"]) == 11
    assert place.d31_1801 not in {row["dwelling_id"] for row in shown["items"]}


async def test_a_grid_workers_reports_are_of_the_own_grids(grid_worker, place, database):
    assert (await report(grid_worker, "tenancies"))["items"] == []
    shown = await report(grid_worker, "consistency")
    assert place.tenant not in {f["person_id"] for f in shown["findings"]}
    assert shown["counts"]["tenant_not_let"] == 0
    assert len((await report(grid_worker, "vacancies", grid=place.east))["items"]) == 7
    away = await grid_worker.get(f"{API}/reports/vacancies", params={"grid": place.west})
    assert (away.status_code, away.json()["code"]) == (403, "forbidden")
    with database.write() as session:
        session.get_one(Grid, place.east).worker = None
        for row in session.scalars(select(Residence)):
            row.verified_on = None
    nothing = await report(grid_worker, "verification")
    assert (sum(nothing["counts"].values()), nothing["items"]) == (0, [])
