"""Who lives behind the doors of a zone: by dates where there are any, else with their household."""

import datetime as dt

import pytest
from residents_world import COMPOUND, DAY, TODAY, build

from registry.models import Household, Person, Residence, ResidenceKind
from registry.people import inhabitants


@pytest.fixture(autouse=True)
def _world(database):
    build(database)


def lives(database, name, dwelling, since=TODAY, until=None, kind=ResidenceKind.TENANT):
    with database.write() as session:
        if session.get(Person, name) is None:
            session.add(Person(id=name, compound=COMPOUND))
            session.flush()
        session.add(
            Residence(
                id=f"{name}-{dwelling}-{since}", compound=COMPOUND, person=name, dwelling=dwelling,
                kind=kind, since=since, until=until,
            )
        )  # fmt: skip


def family(database, household, dwelling, *names):
    with database.write() as session:
        session.add(Household(id=household, compound=COMPOUND, dwelling=dwelling))
        session.flush()
        session.add_all([Person(id=name, compound=COMPOUND, household=household) for name in names])


def of(database, zone, day: dt.date = TODAY):
    with database.read() as session:
        return inhabitants.of_zone(session, COMPOUND, zone, day)


def test_whoever_lives_there_on_the_day_and_nobody_else(database):
    lives(database, "now", "b1-101")
    lives(database, "last day", "b1-201", TODAY - 9 * DAY, TODAY)
    lives(database, "gone", "b1-201", TODAY - 9 * DAY, TODAY - DAY)
    lives(database, "to come", "b1-201", TODAY + DAY)
    lives(database, "elsewhere", "b2-101")
    lives(database, "registered", "b1-101", kind=ResidenceKind.REGISTERED_ABSENT)
    assert of(database, "z1") == {"now", "last day"}
    assert of(database, "z1", TODAY + DAY) == {"now", "to come"}
    assert of(database, "z2") == {"elsewhere"}


def test_household_counts_where_nobody_has_written_down_since_when(database):
    family(database, "h1", "b1-101", "mother", "son")
    assert of(database, "z1") == {"mother", "son"}
    lives(database, "son", "b1-101", TODAY - 9 * DAY, TODAY - DAY)
    assert of(database, "z1") == {"mother"}


def test_nobody_lives_at_a_gate(database):
    family(database, "h1", "b1-101", "mother")
    assert of(database, "gate") == of(database, "nowhere") == frozenset()
