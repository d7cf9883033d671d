"""Swaps: asked, accepted by one, approved where it is wanted, refused where the limits say so."""

import pytest
from duty_world import HOUR, MANAGER, Duty, by_turns, slot
from sqlalchemy import select
from timeline import COMPOUND

from alerts.duty import swapping
from alerts.duty.models import Responder, Shift
from alerts.duty.rostermodels import DutyRules, DutySwap, SwapState
from alerts.incidents.actor import Actor
from registry.errors import MissingError, RefusedError
from tests.support.threads import at_once

G1, G2, G3 = (Actor(f"user-{one}", "guard") for one in ("g1", "g2", "g3"))


@pytest.fixture
def duty(database) -> Duty:
    return _days(Duty(database))


def _days(duty: Duty) -> Duty:
    """g1 and g2 by turns, g3 is free."""
    duty.roster("guards", slot("day", 8, 16, by_turns("g1", "g2"), post="gate"))
    return duty


def theirs(duty: Duty, who: str) -> Shift:
    return next(row for row in duty.shifts(who) if row.starts_at > duty.at)


def asked(duty: Duty, colleague: str | None = "g3", back: str | None = None) -> DutySwap:
    return duty.does(swapping.ask, theirs(duty, "g1").id, "g1", colleague, back, G1)


def state(duty: Duty, swap: DutySwap) -> str:
    with duty.database.read() as session:
        return session.get(DutySwap, swap.id).state


def test_colleague_accepts_and_has_the_shift_and_both_are_told(duty):
    shift = theirs(duty, "g1")
    swap = asked(duty)
    assert duty.told("g3") == ["asked"]
    duty.does(swapping.accept, swap.id, "g3", G3)
    assert state(duty, swap) == SwapState.DONE
    assert duty.who(shift.starts_at, shift.ends_at) == [("g3", 0, 8)]
    assert "done" in duty.told("g1")
    assert "removed" in duty.told("g1")
    assert {"asked:answered", "done", "added"} <= set(duty.told("g3"))
    # The roster does not take it back.
    duty.rounds()
    assert duty.who(shift.starts_at, shift.ends_at) == [("g3", 0, 8)]


def test_exchange_gives_each_the_others_shift(duty):
    mine, other = theirs(duty, "g1"), theirs(duty, "g2")
    swap = asked(duty, "g2", other.id)
    duty.does(swapping.accept, swap.id, "g2", G2)
    assert duty.who(mine.starts_at, mine.ends_at) == [("g2", 0, 8)]
    assert duty.who(other.starts_at, other.ends_at) == [("g1", 0, 8)]


def test_two_of_the_team_accept_at_once_and_one_has_it(each_database):
    duty = _days(Duty(each_database))
    shift = theirs(duty, "g1")
    with each_database.write() as session:
        session.add(Responder(id="g4", team="guards", name="g4 某"))
    swap = asked(duty, None)

    def accept(number: int) -> None:
        who = ("g3", "g4")[number]
        with each_database.write() as session:
            swapping.accept(session, COMPOUND, swap.id, who, Actor(who, "guard"), duty.at)

    failed = at_once(2, accept)
    assert [(type(one), one.code) for one in failed] == [(RefusedError, "swap_over")]
    standing = duty.who(shift.starts_at, shift.ends_at)
    assert len(standing) == 1
    assert standing[0][0] in {"g3", "g4"}


def test_manager_approves_what_both_want_or_refuses_it(duty):
    with duty.database.write() as session:
        session.add(DutyRules(compound=COMPOUND, rest_h=11, check_in_h=4, approve_swaps=True))
    shift = theirs(duty, "g1")
    swap = asked(duty)
    duty.does(swapping.accept, swap.id, "g3", G3)
    assert state(duty, swap) == SwapState.ACCEPTED
    assert duty.told("lead") == ["to_approve"]
    assert duty.who(shift.starts_at, shift.ends_at) == [("g1", 0, 8)]
    duty.does(swapping.decide, swap.id, MANAGER, approved=False)
    assert state(duty, swap) == SwapState.REFUSED
    assert duty.told("lead") == ["to_approve:withdrawn"]
    assert "refused" in duty.told("g1")
    assert "refused" in duty.told("g3")
    again = asked(duty)
    duty.does(swapping.accept, again.id, "g3", G3)
    duty.does(swapping.decide, again.id, MANAGER, approved=True)
    assert duty.who(shift.starts_at, shift.ends_at) == [("g3", 0, 8)]


def test_swap_that_breaks_the_rest_of_the_colleague_is_refused(duty):
    shift = theirs(duty, "g1")
    with duty.database.write() as session:
        session.add(
            Shift(
                id="s", responder="g3", starts_at=shift.ends_at + 10 * HOUR, ends_at=shift.ends_at + 12 * HOUR
            )
        )
    with pytest.raises(RefusedError, match="rest_too_short"):
        asked(duty)
    swap = asked(duty, None)
    with pytest.raises(RefusedError, match="rest_too_short"):
        duty.does(swapping.accept, swap.id, "g3", G3)
    assert state(duty, swap) == SwapState.ASKED


def test_swap_beyond_somebodys_hours_is_refused(duty):
    with duty.database.write() as session:
        session.get(Responder, "g3").hours_most = 7
    with pytest.raises(RefusedError, match="hours_too_many"):
        asked(duty)


def test_nobody_gives_away_what_is_not_theirs_or_has_begun(duty):
    with pytest.raises(RefusedError, match="not_your_shift"):
        duty.does(swapping.ask, theirs(duty, "g2").id, "g1", "g3", None, G1)
    running = next(row for row in duty.shifts() if row.starts_at < duty.at)
    with pytest.raises(RefusedError, match="shift_begun"):
        duty.does(swapping.ask, running.id, running.responder, "g3", None, G1)
    with pytest.raises(RefusedError, match="other_team"):
        asked(duty, "v1")
    asked(duty)
    with pytest.raises(RefusedError, match="swap_open"):
        asked(duty)


def test_whoever_is_not_asked_cannot_answer(duty):
    swap = asked(duty)
    for work in (swapping.accept, swapping.decline):
        with pytest.raises(MissingError):
            duty.does(work, swap.id, "g2", G2)
    with pytest.raises(MissingError):
        duty.does(swapping.take_back, swap.id, "g3", G3)


def test_declined_withdrawn_and_expired_swaps_change_nothing(duty):
    shift = theirs(duty, "g1")
    declined = asked(duty)
    duty.does(swapping.decline, declined.id, "g3", G3)
    assert duty.told("g1") == ["ahead", "declined"] or "declined" in duty.told("g1")
    taken_back = asked(duty)
    duty.does(swapping.take_back, taken_back.id, "g1", G1)
    assert duty.told("g3").count("asked:withdrawn") == 1
    expiring = asked(duty)
    duty.until(shift.starts_at)
    assert state(duty, expiring) == SwapState.EXPIRED
    with pytest.raises(RefusedError, match="swap_over"):
        duty.does(swapping.accept, expiring.id, "g3", G3)
    assert duty.who(shift.starts_at, shift.ends_at) == [("g1", 0, 8)]
    with duty.database.read() as session:
        assert session.scalars(select(DutySwap.state).order_by(DutySwap.asked_at)).all() == [
            "declined",
            "withdrawn",
            "expired",
        ]


def test_shift_that_has_moved_meanwhile_is_not_the_one_that_was_asked_for(duty):
    swap = asked(duty)
    with duty.database.write() as session:
        session.get(Shift, swap.shift).ends_at += HOUR
    with pytest.raises(RefusedError, match="swap_over"):
        duty.does(swapping.accept, swap.id, "g3", G3)
