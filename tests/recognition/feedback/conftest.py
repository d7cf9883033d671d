"""A gate with a camera, two neighbours, and decisions on who passed."""

import datetime as dt

import pytest
from feedback_world import NOW, Gate

from registry.models import Person
from tests.support.compound import COMPOUND, settle_in


@pytest.fixture
def gate(either_database):
    settle_in(either_database)
    with either_database.write() as session:
        for person in ("p1", "p2", "gone"):
            session.add(
                Person(
                    id=person,
                    compound=COMPOUND,
                    name=person,
                    erased_at=NOW - dt.timedelta(days=1) if person == "gone" else None,
                )
            )
    return Gate(either_database)
