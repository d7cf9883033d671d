"""The gate's questions over the API: guards get answers and no people."""

import datetime as dt

import pytest
from sqlalchemy import select

from console.accounts.models import Role
from registry import lookups
from registry.credentials import issuing
from registry.credentials.issuing import NewCredential
from registry.models import (
    CredentialKind,
    Dwelling,
    DwellingState,
    Person,
    Residence,
    ResidenceKind,
    Ring,
    Unit,
    Zone,
)
from registry.vehicles import motoring
from registry.vehicles.motoring import VehicleDetails
from storage.audit import AuditRow

API = "/api/v1"
PURPOSE = {"purpose": "monitoring"}
PHONE = "10012345678"


@pytest.fixture
def home(world, database, clock):
    """The adult lives in 1-1-101 (building b1, zone stairs), with a card and a car."""
    with database.write() as session:
        session.add(
            Zone(id="stairs", compound="honghua", name="1幢", ring=Ring.BUILDING, kind="b", outline=[])
        )
        session.flush()
        session.execute(
            Zone.__table__.metadata.tables["buildings"]
            .update()
            .values(zone="stairs", name="1幢")
            .where(Zone.__table__.metadata.tables["buildings"].c.id == "b1")
        )
        session.add(Unit(id="u1", compound="honghua", building="b1", name="1单元"))
        session.flush()
        session.add(
            Dwelling(
                id="d1",
                compound="honghua",
                unit="u1",
                floor=1,
                room_no="101",
                state=DwellingState.OCCUPIED,
                address_key="1-1-101",
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
        adult = session.get_one(Person, "adult")
        lookups.identify(adult, name="张三", phone=PHONE)
        card = NewCredential(CredentialKind.CARD, "1234AB")
        issuing.issue(session, adult, card, at=clock.now() - dt.timedelta(days=1))
        motoring.register(session, "honghua", VehicleDetails("云M12B45", owner="adult"))
    return world


@pytest.fixture
def guard(signed_in, home):
    return signed_in(Role.GUARD)


@pytest.fixture
def manager(signed_in, home):
    return signed_in(Role.PROPERTY_MANAGER)


def audited(database) -> list[tuple[str, str, str]]:
    with database.read() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq))
        return [(row.action, row.subject, row.detail) for row in rows]


async def ask(browser, path, **params) -> dict:
    answer = await browser.post(API + path, params=PURPOSE, json=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_card_is_answered_with_yes_or_no_and_the_look_is_the_persons(guard, database):
    card = {"credential_kind": "card", "ref": "12-34 ab"}
    assert await ask(guard, "/entry", zone="stairs", **card) == {
        "allowed": True,
        "reason": "resident",
        "until": None,
    }
    assert await ask(guard, "/entry", zone="gate", credential_kind="card", ref="FF") == {
        "allowed": False,
        "reason": "unknown",
        "until": None,
    }
    assert audited(database) == [
        ("entry.checked", "person:adult", "stairs resident"),
        ("entry.checked", "zone:gate", "gate unknown"),
    ]


async def test_person_and_plate_are_asked_one_at_a_time(guard):
    assert (await ask(guard, "/entry", zone="gate", person="adult"))["allowed"] is True
    assert (await ask(guard, "/entry", zone="gate", person="stranger"))["reason"] == "unknown"
    assert (await ask(guard, "/entry", zone="gate", plate="云m12b45"))["reason"] == "vehicle"
    for params in (
        {},
        {"ref": "1"},
        {"credential_kind": "card"},
        {"person": "adult", "plate": "云M12B45"},
    ):
        answer = await guard.post(f"{API}/entry", params=PURPOSE, json={"zone": "gate"} | params)
        assert (answer.status_code, answer.json()["code"]) == (422, "entry_question"), params
    elsewhere = {"zone": "far", "person": "adult"}
    answer = await guard.post(f"{API}/entry", params=PURPOSE, json=elsewhere)
    assert (answer.status_code, answer.json()["code"]) == (404, "zone_not_found")


async def test_guard_counts_who_may_enter_and_the_manager_sees_whom(guard, manager, database):
    path = f"{API}/zones/stairs/entitled"
    assert (await guard.get(path, params=PURPOSE)).json() == {"people": 1, "passes": 0}
    assert (await manager.get(path, params=PURPOSE)).json() == {
        "people": 1,
        "passes": 0,
        "person_ids": ["adult"],
        "pass_ids": [],
    }
    assert audited(database) == [("entitled.listed", "zone:stairs", "people=1 passes=0")] * 2


@pytest.mark.parametrize(
    ("claim", "answer"),
    [
        ({"name": "张三"}, True),
        ({"phone_tail": "5678"}, True),
        ({"card": "1234AB"}, True),
        ({"name": "张三", "phone_tail": "0000"}, False),
        ({"name": "李四"}, False),
    ],
)
async def test_guard_hears_yes_or_no_and_nothing_else(guard, database, claim, answer):
    assert await ask(guard, "/dwellings/d1/belongs", **claim) == {"belongs": answer}
    assert await ask(guard, "/belongs", address="1幢1单元101室", **claim) == {"belongs": answer}
    noted = audited(database)
    said = f"{' '.join(claim)} {'yes' if answer else 'no'}"
    assert noted == [("belonging.asked", "dwelling:d1", said)] * 2
    assert not any(value in str(noted) for value in claim.values())


async def test_question_that_is_none_is_refused(guard):
    empty = await guard.post(f"{API}/dwellings/d1/belongs", params=PURPOSE)
    assert (empty.status_code, empty.json()["code"]) == (409, "nothing_to_compare")
    unknown = await guard.post(
        f"{API}/belongs", params=PURPOSE, json={"address": "9幢1单元101", "name": "张三"}
    )
    assert (unknown.status_code, unknown.json()["code"]) == (404, "dwelling_not_found")
    unreadable = await guard.post(f"{API}/belongs", params=PURPOSE, json={"address": "那边", "name": "张三"})
    assert unreadable.status_code == 422
    assert unreadable.json()["code"].startswith("address_")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/entry", {"zone": "gate", "person": "adult"}),
        ("POST", "/dwellings/d1/belongs", {"name": "x"}),
        ("GET", "/zones/gate/entitled", None),
    ],
)
async def test_without_a_purpose_nothing_is_answered(guard, database, method, path, body):
    answer = await guard.request(method, API + path, json=body)
    assert answer.status_code == 422
    assert audited(database) == []


async def test_guard_sees_of_a_car_that_it_is_known_and_where_it_goes(guard, manager, database):
    assert await ask(guard, "/vehicles/by-plate", plate="云m·12B45") == {
        "answer": "registered",
        "building": "1幢",
        "near": [],
    }
    whole = await ask(manager, "/vehicles/by-plate", plate="云M12B45")
    assert (whole["answer"], whole["owner"], whole["household"]) == ("registered", "adult", None)
    vehicle = whole["vehicle"]
    assert await ask(guard, "/vehicles/by-plate", plate="云M12845") == {
        "answer": "near",
        "building": None,
        "near": [{"plate": "云M12B45", "building": "1幢"}],
    }
    assert (await ask(guard, "/vehicles/by-plate", plate="川Z99999"))["answer"] == "unknown"
    assert (await ask(guard, "/vehicles/by-plate", plate="WJ12345"))["answer"] == "always_allowed"
    assert [(subject, detail) for _, subject, detail in audited(database)] == [
        (f"vehicle:{vehicle}", "registered"),
        (f"vehicle:{vehicle}", "registered"),
        ("plate", "near"),
        ("plate", "unknown"),
        ("plate", "always_allowed"),
    ]
