"""Absences of people who are looked after, over the API: who may say so, of whom, and what is noted."""

import datetime as dt

import pytest
from sqlalchemy import select

from console.accounts.models import Role, User
from registry.faces import consents
from registry.models import ConsentPurpose, GivenBy, Person
from storage.audit import AuditRow

API = "/api/v1"
PURPOSE = {"purpose": "resident_request"}


@pytest.fixture
def cared_for(world, database):
    """The adult agrees to be looked after; h1 is the household."""
    with database.write() as session:
        person = session.get_one(Person, "adult")
        consents.give(
            session,
            person,
            ConsentPurpose.ELDER_CARE,
            wording="我同意",
            channel="paper",
            given_by=GivenBy.SELF,
            at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        )
        return person.id


def until(days: float, clock) -> dict:
    return {"ends_at": (clock.now() + dt.timedelta(days=days)).isoformat()}


def actions(database) -> list[str]:
    with database.read() as session:
        return [
            row
            for row in session.scalars(select(AuditRow.action).order_by(AuditRow.seq))
            if row.startswith("care.")
        ]


async def test_an_operator_notes_an_absence_and_the_return(cared_for, signed_in, database, clock):
    browser = signed_in(Role.OPERATOR)
    made = await browser.post(f"{API}/people/adult/absences", json=until(14, clock))
    assert made.status_code == 201, made.text
    shown = (await browser.get(f"{API}/people/adult/absences", params=PURPOSE)).json()["items"]
    assert [one["id"] for one in shown] == [made.json()["id"]]
    back = await browser.post(f"{API}/people/adult/absences/{made.json()['id']}/end")
    assert back.status_code == 204
    assert (await browser.get(f"{API}/people/adult/absences", params=PURPOSE)).json()["items"] == []
    assert actions(database) == [
        "care.absence_declared",
        "care.absences_viewed",
        "care.absence_ended",
        "care.absences_viewed",
    ]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"starts_at": "2027-01-02T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z"}, "absence_order"),
        ({"starts_at": "2020-01-01T00:00:00Z", "ends_at": "2020-01-02T00:00:00Z"}, "absence_over"),
        ({"ends_at": "2030-01-01T00:00:00Z"}, "absence_too_long"),
    ],
)
async def test_what_makes_no_sense_is_refused(cared_for, signed_in, given, code):
    answer = await signed_in(Role.OPERATOR).post(f"{API}/people/adult/absences", json=given)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


async def test_of_whoever_is_not_looked_after_nothing_is_noted(world, signed_in, database, clock):
    answer = await signed_in(Role.OPERATOR).post(f"{API}/people/adult/absences", json=until(3, clock))
    assert answer.json()["code"] == "not_cared_for"
    assert actions(database) == []


async def test_a_grid_worker_without_a_grid_reaches_nobody(cared_for, signed_in, clock):
    answer = await signed_in(Role.GRID_WORKER).post(f"{API}/people/adult/absences", json=until(3, clock))
    assert answer.status_code == 404


def is_(database, role: Role, person: str) -> None:
    """The user of a role is this person."""
    with database.write() as session:
        session.scalars(select(User).where(User.role == role)).one().person_id = person


async def test_a_resident_says_so_for_the_own_household_alone(cared_for, signed_in, database, clock):
    browser = signed_in(Role.RESIDENT)
    with database.write() as session:
        adult = session.get_one(Person, "adult")
        session.add(Person(id="her-daughter", compound="honghua", household=adult.household, name="甲"))
        session.add(Person(id="passer-by", compound="honghua", name="乙"))
    is_(database, Role.RESIDENT, "her-daughter")
    made = await browser.post(f"{API}/me/absences", json=until(3, clock) | {"person": "adult"})
    assert made.status_code == 201, made.text
    assert [one["person"] for one in (await browser.get(f"{API}/me/absences")).json()["items"]] == ["adult"]
    is_(database, Role.RESIDENT, "passer-by")
    absence = made.json()["id"]
    assert (await browser.get(f"{API}/me/absences")).json()["items"] == []
    assert (await browser.post(f"{API}/me/absences/{absence}/end")).status_code == 404
    other = await browser.post(f"{API}/me/absences", json=until(3, clock) | {"person": "adult"})
    assert other.status_code == 404
    is_(database, Role.RESIDENT, "her-daughter")
    assert (await browser.post(f"{API}/me/absences/{absence}/end")).status_code == 204
