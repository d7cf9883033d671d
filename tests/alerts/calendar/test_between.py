"""What the register and the clock say: complete, once, the same in one piece as in many."""

import datetime as dt
import itertools
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from timeline import COMPOUND, START

from alerts import absences, calendar
from alerts.absences import CareAbsence
from alerts.rulebook.values import Patrol, Post
from alerts.rules import Observation
from devices.commands.models import CommandState, DeviceCommand
from devices.models import Device, DeviceKind, Stage
from registry.errors import RefusedError
from registry.faces import consents
from registry.models import ConsentPurpose, GivenBy, PassKind, PassUse, Person, VisitorPass
from registry.passes.models import PassDirection, PassState
from storage import Database, new_id

NOTHING = SimpleNamespace(patrols=(), posts=())
ROUNDS = SimpleNamespace(
    patrols=(Patrol("night round", ("point", "square"), (dt.timedelta(hours=22), dt.timedelta(hours=25))),),
    posts=(Post("gate", dt.time(22), dt.time(6)),),
)
DAY = dt.timedelta(days=1)
CARE = ConsentPurpose.ELDER_CARE


def at(hours: float) -> dt.datetime:
    """Hours from ten in the morning of a Monday by the compound's clock."""
    return START + dt.timedelta(hours=hours)


@pytest.fixture
def register(database: Database) -> Database:
    """Somebody who is looked after and away for two days, three visits, a door that did not answer."""
    with database.write() as session:
        for name in ("door", "point"):
            session.add(
                Device(
                    id=name,
                    compound=COMPOUND,
                    zone="hall" if name == "door" else "square",
                    kind=DeviceKind.DOOR,
                    name=name,
                    lane=f"{name}-lane",
                    secret_hash="",
                    stage=Stage.APPROVED,
                )
            )
        session.add(Person(id="elder", compound=COMPOUND, name="甲"))
        session.flush()
        elder = session.get_one(Person, "elder")
        consents.give(
            session, elder, CARE, wording="我同意", channel="paper", given_by=GivenBy.SELF, at=at(1)
        )
        absences.declare(session, elder, at(4), at(52), "family", at(3))
        for name, ends, decided, state in (
            ("went", 5, -2, PassState.APPROVED),
            ("prolonged", 9, 6, PassState.APPROVED),
            ("revoked", 7, 3, PassState.REVOKED),
        ):
            session.add(
                VisitorPass(
                    id=name,
                    compound=COMPOUND,
                    kind=PassKind.VISITOR,
                    state=state,
                    starts_at=at(0),
                    ends_at=at(ends),
                    decided_at=at(decided),
                )
            )
        session.flush()
        session.add(
            PassUse(
                id=new_id(),
                compound=COMPOUND,
                visitor_pass="went",
                zone="side-gate",
                at=at(1),
                direction=PassDirection.IN,
            )
        )
        for name, state, answer_by, settled in (
            ("silent", CommandState.UNCERTAIN, 2, 2.01),
            ("late", CommandState.ACKED, 2.5, 2.6),
            ("good", CommandState.ACKED, 2.7, 2.69),
            ("new", CommandState.SENT, 2.8, None),
        ):
            session.add(
                DeviceCommand(
                    id=name,
                    compound=COMPOUND,
                    device="door",
                    kind="open",
                    arguments={},
                    state=state,
                    asked_by="u",
                    reason="r",
                    key=name,
                    asked_at=at(answer_by) - dt.timedelta(seconds=3),
                    expires_at=at(answer_by),
                    answer_by=at(answer_by),
                    settled_at=at(settled) if settled is not None else None,
                )
            )
    return database


def between(database: Database, start: float, end: float, plans: object = NOTHING) -> list[Observation]:
    with database.read() as session:
        return calendar.between(session, COMPOUND, at(start), at(end), plans)


def of(seen: list[Observation], kind: str) -> list[float]:
    """When something was said, in hours."""
    return [(one.at - START).total_seconds() / 3600 for one in seen if one.type == kind]


def test_a_visit_is_over_at_the_end_of_its_pass_where_the_visitor_was_last_seen(register: Database) -> None:
    (went, prolonged) = [one for one in between(register, 0, 48) if one.type == "visitor.expired"]
    assert (went.subjects, went.at, went.zone) == (("pass:went",), at(5), "side-gate")
    assert went.attributes == {"last_use": "in"}
    assert went.visit is not None
    assert went.visit.ends_at == at(5)
    assert prolonged.at == at(9)


def test_a_pass_that_was_decided_anew_has_a_later_end(register: Database) -> None:
    (extended,) = [one for one in between(register, 0, 48) if one.type == "visitor.extended"]
    assert (extended.subjects, extended.at, extended.until) == (("pass:prolonged",), at(6), at(9))


def test_a_revoked_pass_ends_nobodys_visit_a_second_time(register: Database) -> None:
    assert all("pass:revoked" not in one.subjects for one in between(register, 0, 48))


def test_care_begins_with_the_consent_and_ends_with_it(register: Database) -> None:
    (began,) = [one for one in between(register, 0, 48) if one.type == "care.began"]
    assert (began.at, began.person_id) == (at(1), "elder")
    assert began.person is not None
    assert began.person.cared_for
    with register.write() as session:
        consents.withdraw(session, session.get_one(Person, "elder"), CARE, at(30))
    assert of(between(register, 0, 48), "care.ended") == [30]


def test_an_absence_is_said_again_while_it_lasts_and_once_when_it_is_over(register: Database) -> None:
    away = [one for one in between(register, 0, 72) if one.type == "care.away"]
    assert of(away, "care.away") == [4, 16, 28, 40, 52]
    assert [one.attributes.get("ended") for one in away] == [None, None, None, None, True]
    assert {one.until for one in away} >= {at(52)}
    # Whoever looks at one day only hears of it, too.
    assert of(between(register, 24, 48), "care.away") == [28, 40]


def test_one_that_was_declared_when_it_had_begun_is_told_from_then(register: Database) -> None:
    with register.write() as session:
        session.query(CareAbsence).delete()
        elder = session.get_one(Person, "elder")
        absences.declare(session, elder, at(-5), at(20), "family", at(6))
    assert of(between(register, -24, 48), "care.away") == [6, 18, 20]


def test_who_comes_home_earlier_is_home(register: Database) -> None:
    with register.write() as session:
        absences.end(session, session.query(CareAbsence).one(), at(10))
    assert of(between(register, 0, 72), "care.away") == [4, 10]


def test_who_does_not_go_after_all_was_never_away(register: Database) -> None:
    with register.write() as session:
        absences.end(session, session.query(CareAbsence).one(), at(3.5))
    assert of(between(register, 0, 72), "care.away") == []


def test_nobody_is_away_who_is_not_looked_after(register: Database) -> None:
    with register.write() as session:
        consents.withdraw(session, session.get_one(Person, "elder"), CARE, at(5))
        with pytest.raises(RefusedError, match="not_cared_for"):
            absences.declare(session, session.get_one(Person, "elder"), at(6), at(9), "family", at(6))


def test_a_command_is_uncertain_when_its_answer_should_have_come_whatever_comes_later(
    register: Database,
) -> None:
    uncertain = [one for one in between(register, 0, 4) if one.type == "command.uncertain"]
    assert [one.attributes["command"] for one in uncertain] == ["silent", "late", "new"]
    assert [one.at for one in uncertain] == [at(2), at(2.5), at(2.8)]
    assert {(one.device, one.zone, one.lane) for one in uncertain} == {("door", "hall", "door-lane")}


def test_every_checkpoint_of_a_round_is_due_and_every_shift_begins(register: Database) -> None:
    # Twelve hours after ten in the morning it is ten in the evening.
    said = between(register, 0, 24, ROUNDS)
    due = [one for one in said if one.type == "patrol.due"]
    assert of(due, "patrol.due") == [12, 12, 15, 15]
    assert {(one.device, one.zone, one.attributes["checkpoint"]) for one in due} == {
        ("point", "square", "point"),
        ("", "square", "square"),
    }
    (shift,) = [one for one in said if one.type == "post.shift"]
    assert (shift.at, shift.until, shift.zone) == (at(12), at(20), "gate")


def test_nothing_of_another_compound_is_said(register: Database) -> None:
    with register.read() as session:
        assert calendar.between(session, "elsewhere", at(-48), at(96), NOTHING) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(-24 * 60, 80 * 60), max_size=5))
def test_it_is_the_same_in_one_piece_as_in_many(register: Database, cuts: list[int]) -> None:
    whole = between(register, -24, 80, ROUNDS)
    edges = [-24.0, *sorted(cut / 60 for cut in cuts), 80.0]
    pieces = [
        seen for start, end in itertools.pairwise(edges) for seen in between(register, start, end, ROUNDS)
    ]
    assert pieces == whole
    assert len({seen.id for seen in whole}) == len(whole) >= 15
