"""Zones: outlines that can be drawn, neighbours that know each other."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import MissingError, RefusedError, StaleEditError
from registry.models import Compound, Ring, Zone
from registry.places import zones
from registry.places.zones import ZoneFacts, refuse_outline
from storage import Database
from tests.support.houses import HERE, THERE
from tests.support.threads import at_once

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10]]


@pytest.fixture
def session(either_database: Database):
    with either_database.write() as session:
        for compound in (HERE, THERE):
            session.add(Compound(id=compound, name=compound))
        session.flush()
        yield session


def add(session, name: str, *neighbours: str, compound: str = HERE, outline=SQUARE) -> Zone:
    return zones.add_zone(session, compound, ZoneFacts(name, Ring.COMMON, "yard", outline, neighbours))


def test_next_to_is_mutual_from_either_side(session):
    gate, yard = add(session, "门"), add(session, "院")
    path = add(session, "路", gate.id, yard.id)
    assert (gate.neighbours, yard.neighbours) == ([path.id], [path.id])
    facts = ZoneFacts("路", Ring.COMMON, "path", SQUARE, [yard.id])
    zones.edit_zone(session, path, path.version, facts)
    session.expire_all()
    assert (gate.neighbours, yard.neighbours, path.neighbours) == ([], [path.id], [yard.id])
    assert (gate.version, yard.version, path.kind) == (3, 2, "path")


def test_a_neighbour_is_another_zone_of_the_compound(session):
    far = add(session, "远", compound=THERE)
    with pytest.raises(MissingError):
        add(session, "门", far.id)
    gate = add(session, "门")
    with pytest.raises(RefusedError, match="neighbour_is_self"):
        zones.edit_zone(session, gate, 1, ZoneFacts("门", Ring.ENTRANCE, "gate", [], [gate.id]))


def test_a_zone_without_outline_is_one_that_nobody_has_drawn_yet(session):
    assert add(session, "门", outline=[]).outline == []


def test_an_edit_on_what_somebody_else_has_changed_is_refused(session):
    gate = add(session, "门")
    facts = zones.facts_of(gate)
    zones.edit_zone(session, gate, 1, ZoneFacts("东门", Ring.ENTRANCE, "gate"))
    with pytest.raises(StaleEditError):
        zones.edit_zone(session, gate, 1, facts)


@pytest.mark.parametrize(
    "outline",
    [
        [[0, 0]],
        [[0, 0], [1, 1]],
        [[0, 0], [1, 1], [0, 0]],
        [[0, 0], [1, 1], [2, 2]],
        [[0, 0], [10, 10], [10, 0], [0, 10]],
        [[0, 0], [1, math.nan], [1, 1]],
        [[0, 0], [math.inf, 0], [1, 1]],
        [[0, 0, 0], [1, 0, 0], [1, 1, 0]],
        [[math.cos(k), math.sin(k)] for k in range(257)],
    ],
)
def test_what_is_no_polygon_is_refused(outline):
    with pytest.raises(RefusedError, match="outline"):
        refuse_outline(outline)


@given(st.integers(3, 60), st.floats(0.1, 500), st.floats(-1000, 1000), st.booleans())
def test_every_regular_polygon_is_one_closed_or_not(corners, radius, offset, closed):
    points = [
        [offset + radius * math.cos(2 * math.pi * k / corners), radius * math.sin(2 * math.pi * k / corners)]
        for k in range(corners)
    ]
    refuse_outline(points + points[:1] * closed)


def test_two_who_join_zones_at_once_lose_neither(either_database: Database):
    with either_database.write() as session:
        session.add(Compound(id=HERE, name="x"))
        session.flush()
        yard = add(session, "院").id

    def join(number: int) -> None:
        with either_database.write() as session:
            add(session, f"门{number}", yard)

    assert at_once(4, join) == []
    with either_database.read() as session:
        assert len(session.get_one(Zone, yard).neighbours) == 4
