"""A session bound to a compound: what a query forgets to say is said for it."""

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import aliased

import ringward.schema
from registry.models import Compound, Household, Person, Vehicle, Zone
from storage import Database, OwnedByCompound
from storage.tenancy import OtherCompoundError

HERE, THERE = "honghua", "sifang"


@pytest.fixture
def two(either_database: Database) -> Database:
    with either_database.write() as session:
        session.add_all([Compound(id=HERE, name="红花苑"), Compound(id=THERE, name="四方苑")])
        session.flush()
        for compound in (HERE, THERE):
            session.add(Household(id=f"h-{compound}", compound=compound))
            session.flush()
            session.add(
                Person(id=f"p-{compound}", compound=compound, household=f"h-{compound}", name="韦小满")
            )
            session.add(Vehicle(id=f"v-{compound}", compound=compound, plate="云M12345"))
    return either_database


def test_queries_see_one_compound(two: Database) -> None:
    with two.within(HERE).read() as session:
        assert [p.id for p in session.scalars(select(Person))] == [f"p-{HERE}"]
        assert session.scalar(select(func.count()).select_from(Vehicle)) == 1
        assert session.scalars(select(Person.id)).all() == [f"p-{HERE}"]
        assert session.get(Person, f"p-{THERE}") is None
        other = aliased(Person)
        assert session.scalars(select(other.id).where(other.id.like("p-%"))).all() == [f"p-{HERE}"]


def test_joins_and_subqueries_see_one_compound(two: Database) -> None:
    homes = select(Household.id)
    joined = select(Person.id).join(Vehicle, Vehicle.plate.is_not(None))
    with two.within(HERE).read() as session:
        assert session.scalars(joined).all() == [f"p-{HERE}"]
        assert session.scalars(select(Person.id).where(Person.household.in_(homes))).all() == [f"p-{HERE}"]


def test_an_unbound_session_sees_all(two: Database) -> None:
    with two.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 2


def test_two_compounds_take_turns_on_one_cached_statement(two: Database) -> None:
    query = select(Person.id)
    for compound in (HERE, THERE, HERE):
        with two.within(compound).read() as session:
            assert session.scalars(query).all() == [f"p-{compound}"]


def test_updates_and_deletes_reach_one_compound(two: Database) -> None:
    with two.within(HERE).write() as session:
        session.execute(update(Vehicle).values(plate="云M54321"))
        session.execute(delete(Person))
    with two.read() as session:
        plates = dict(session.execute(select(Vehicle.id, Vehicle.plate)).all())
        assert plates == {f"v-{HERE}": "云M54321", f"v-{THERE}": "云M12345"}
        assert session.scalars(select(Person.id)).all() == [f"p-{THERE}"]


def test_new_rows_belong_to_the_session_and_to_no_other(two: Database) -> None:
    with two.within(HERE).write() as session:
        made = Household(id="h-new")
        session.add(made)
        session.flush()
        assert made.compound == HERE
    with pytest.raises(OtherCompoundError) as refused, two.within(HERE).write() as session:
        session.add(Household(id="h-foreign", compound=THERE))
    assert (refused.value.table, refused.value.compound) == ("Household", HERE)


def test_a_row_cannot_be_moved_out(two: Database) -> None:
    with pytest.raises(OtherCompoundError), two.within(HERE).write() as session:
        session.get_one(Household, f"h-{HERE}").compound = THERE


def test_a_row_of_another_compound_cannot_be_taken_in(two: Database) -> None:
    with two.read() as session:
        foreign = session.get_one(Household, f"h-{THERE}")
        session.expunge(foreign)
    foreign.compound = HERE
    with pytest.raises(OtherCompoundError), two.within(HERE).write() as session:
        session.add(foreign)


@pytest.mark.parametrize("form", ["parameters", "values", "many values"])
def test_inserting_many_rows_is_no_way_out(two: Database, form: str) -> None:
    own, foreign = {"id": "h-1", "compound": HERE}, {"id": "h-2", "compound": THERE}
    statement, rows = {
        "parameters": (insert(Household), [own, foreign]),
        "values": (insert(Household).values(**foreign), None),
        "many values": (insert(Household).values([own, foreign]), None),
    }[form]
    with pytest.raises(OtherCompoundError), two.within(HERE).write() as session:
        session.execute(statement, rows)
    with two.within(HERE).write() as session:
        session.execute(insert(Household), [own])
    with two.read() as session:
        assert session.scalar(select(func.count()).select_from(Household)) == 3


def test_every_table_with_a_compound_is_owned_by_it() -> None:
    # A table that is about one compound and not listed here would be seen from every other.
    open_to_all = {
        # Several compounds, or none, is what these rows are about.
        "audit", "gallery_revisions", "gallery_holders", "deletion_proofs", "dead_letters",
    }  # fmt: skip
    owned = {m.local_table.name for m in Zone.registry.mappers if issubclass(m.class_, OwnedByCompound)}
    with_column = {t.name for t in ringward.schema.metadata.tables.values() if "compound" in t.c}
    assert with_column - owned == open_to_all
