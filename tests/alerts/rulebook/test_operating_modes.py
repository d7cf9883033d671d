"""How a compound is run: asked for by one, approved by another, over by itself."""

import datetime as dt

import pytest
from sqlalchemy import select

from alerts.incidents.actor import Actor
from alerts.rulebook import modes
from alerts.rules import Mode
from registry.errors import MissingError, RefusedError
from storage.audit import AuditRow
from tests.support.compound import COMPOUND, ELSEWHERE

NOW = dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
CHEN, LI = Actor("chen", "operator"), Actor("li", "property_manager")


@pytest.fixture
def session(on_sqlite):
    with on_sqlite.write() as session:
        yield session


def asked(session, to=Mode.HEIGHTENED, hours=8, at=NOW):
    return modes.ask(session, COMPOUND, to, hours * HOUR, "three break-ins next door", CHEN, at).id


def code(refused):
    return refused.value.code


def test_holds_from_its_approval_for_as_long_as_was_asked_for(session):
    mode_id = asked(session)
    assert modes.mode(session, COMPOUND, NOW) is Mode.NORMAL
    modes.approve(session, COMPOUND, mode_id, LI, NOW + HOUR)
    assert modes.mode(session, COMPOUND, NOW + HOUR) is Mode.HEIGHTENED
    assert modes.mode(session, COMPOUND, NOW + 9 * HOUR - dt.timedelta(seconds=1)) is Mode.HEIGHTENED
    assert modes.mode(session, COMPOUND, NOW + 9 * HOUR) is Mode.NORMAL
    # What was said before it began is told by what held then.
    assert modes.mode(session, COMPOUND, NOW) is Mode.NORMAL
    assert modes.mode(session, ELSEWHERE, NOW + HOUR) is Mode.NORMAL


def test_nobody_approves_the_own_question(session):
    mode_id = asked(session)
    with pytest.raises(RefusedError) as refused:
        modes.approve(session, COMPOUND, mode_id, CHEN, NOW)
    assert code(refused) == "two_people"
    assert modes.mode(session, COMPOUND, NOW) is Mode.NORMAL


@pytest.mark.parametrize(("hours", "allowed"), [(72, True), (72.01, False), (0, False), (-1, False)])
def test_lasts_72_hours_at_the_most(session, hours, allowed):
    if allowed:
        asked(session, hours=hours)
        return
    with pytest.raises(RefusedError) as refused:
        asked(session, hours=hours)
    assert code(refused) == "mode_too_long"


def test_normal_is_no_mode_to_ask_for_and_a_reason_is_needed(session):
    with pytest.raises(RefusedError) as refused:
        asked(session, Mode.NORMAL)
    assert code(refused) == "mode_normal"
    with pytest.raises(RefusedError) as refused:
        modes.ask(session, COMPOUND, Mode.EMERGENCY, HOUR, "  ", CHEN, NOW)
    assert code(refused) == "reason_required"


def test_question_lapses_where_nobody_approves_it(session):
    mode_id = asked(session)
    with pytest.raises(RefusedError) as refused:
        modes.approve(session, COMPOUND, mode_id, LI, NOW + modes.ASKING_HOLDS + dt.timedelta(seconds=1))
    assert code(refused) == "mode_lapsed"
    modes.approve(session, COMPOUND, mode_id, LI, NOW + modes.ASKING_HOLDS)


def test_whoever_asked_ends_it_alone(session):
    mode_id = asked(session)
    modes.approve(session, COMPOUND, mode_id, LI, NOW)
    modes.end(session, COMPOUND, mode_id, CHEN, NOW + HOUR)
    assert modes.mode(session, COMPOUND, NOW + HOUR / 2) is Mode.HEIGHTENED
    assert modes.mode(session, COMPOUND, NOW + HOUR) is Mode.NORMAL
    for again in (modes.end, modes.approve):
        with pytest.raises(RefusedError) as refused:
            again(session, COMPOUND, mode_id, LI, NOW + HOUR)
        assert code(refused) == "mode_settled"


def test_question_that_was_taken_back_is_not_approved(session):
    mode_id = asked(session)
    modes.end(session, COMPOUND, mode_id, CHEN, NOW)
    with pytest.raises(RefusedError) as refused:
        modes.approve(session, COMPOUND, mode_id, LI, NOW)
    assert code(refused) == "mode_settled"


def test_gravest_holds_where_two_do(session):
    for to, hours in ((Mode.EMERGENCY, 2), (Mode.HEIGHTENED, 20)):
        modes.approve(session, COMPOUND, asked(session, to, hours), LI, NOW)
    assert modes.mode(session, COMPOUND, NOW + HOUR) is Mode.EMERGENCY
    assert modes.mode(session, COMPOUND, NOW + 3 * HOUR) is Mode.HEIGHTENED


def test_mode_of_another_compound_is_not_there(session):
    mode_id = asked(session)
    with pytest.raises(MissingError):
        modes.approve(session, ELSEWHERE, mode_id, LI, NOW)


def test_each_step_is_in_the_audit_log(session):
    mode_id = asked(session)
    modes.approve(session, COMPOUND, mode_id, LI, NOW)
    modes.end(session, COMPOUND, mode_id, LI, NOW + HOUR)
    rows = session.scalars(select(AuditRow).where(AuditRow.subject == f"operating_mode:{mode_id}")).all()
    assert [(row.action, row.actor) for row in rows] == [
        ("mode.asked", "chen"),
        ("mode.approved", "li"),
        ("mode.ended", "li"),
    ]
