"""What users of other systems complain about most, one test for each, by its place on their list.

The list is from issue trackers: 1 duplicate notifications, 2 a wrong identity that cannot be called wrong,
3 strangers that are silence or a flood, 4 a name that comes too late, 5 events lost at a restart, 6 evidence
that is gone, 7 a phone on silent, 8 who is on duty and who is next, 9 what an acknowledgement means,
10 O and 0, D and 0, Q and O on plates.
"""

import asyncio
import datetime as dt

import pytest
from night import COMPOUND, DESK, SQUARE, START, Night
from sqlalchemy import select

from alerts.duty.models import Responder, Shift
from alerts.duty.onduty import next_on_duty
from alerts.incidents import amending, merging
from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import Comparison, FalseAlarmReason, State, StepRefusedError
from alerts.incidents.models import Evidence, IncidentAnswer
from alerts.rules import Observation, PersonFacts
from privacy.retention import RetentionPolicy, run
from recognition.decisions.plate import PlateOutcome, PlateText, decide_plate
from storage import Database, MediaStore, Vault
from tests.support import keeping

MINUTE, DAY = 60, 86_400


def test_complaint_1_nobody_is_told_the_same_thing_twice(night: Night) -> None:
    incident = night.raises("fire", severity=1, key="smoke", settles=False)
    for _ in range(5):
        assert night.raises("fire", severity=1, key="smoke", settles=False) == incident
    night.follows()
    engines = [night.start_engine(f"engine-{number}") for number in range(4)]

    async def all_at_once() -> None:
        await asyncio.gather(*(engine.turn() for engine in engines))

    asyncio.run(all_at_once())
    night.settles()
    night.all_hear("incident", incident, *DESK)
    night.silence()


def test_complaint_1_what_is_resolved_is_not_told_again(night: Night) -> None:
    """Alertmanager fires again milliseconds after a resolve: here it is the same key, and another incident."""
    incident = night.raises("fire", severity=2, key="smoke")
    night.all_hear("incident", incident, *DESK)
    night.says_false(incident)
    night.settles()
    night.passes(10 * MINUTE)
    night.silence()


def test_complaint_2_a_wrong_identity_with_a_high_score_is_called_not_him(night: Night) -> None:
    incident = night.raises("watchlist.hit", severity=2, needs_comparison=True)
    night.all_hear("incident", incident, *DESK)
    night.acknowledges(incident)
    with pytest.raises(StepRefusedError, match="comparison_negative"):
        night.confirms(incident, comparison=Comparison.NOT_MATCH)
    night.step(
        incident,
        State.FALSE_ALARM,
        reason=FalseAlarmReason.RECOGNITION_ERROR,
        comparison=Comparison.NOT_MATCH,
    )
    with night.database.read() as session:
        answers = session.scalars(select(IncidentAnswer.answer).where(IncidentAnswer.incident == incident))
        assert answers.all() == ["not_match"]
    # Nobody but the control room ever heard of him.
    night.passes(DAY)
    night.silence()


def test_complaint_3_strangers_at_the_gate_are_neither_silence_nor_a_flood(night: Night) -> None:
    first = night.raises("unknown_passed", severity=3, zone="gate", rule="R-E01", key="stranger-0")
    night.passes(5)
    for number in range(1, 30):
        night.raises("unknown_passed", severity=3, zone="gate", rule="R-E01", key=f"stranger-{number}")
        night.passes(2)
    night.passes(4 * MINUTE)
    told = [one for one in night.phones.heard if one.who == "op-1"]
    # Within ten seconds of the first one, and then of all of them together.
    assert told[0].at <= START + dt.timedelta(seconds=11)
    assert told[0].letter.incident == first
    assert 2 <= len(told) <= 4
    assert sum(int(one.letter.arguments.get("count", 1)) for one in told) >= 30
    night.forgets()


def test_complaint_3_a_graver_one_is_never_hidden_among_them(night: Night) -> None:
    for number in range(30):
        night.raises("unknown_passed", severity=3, zone="gate", rule="R-E01", key=f"stranger-{number}")
    night.forgets()
    grave = night.raises("unknown_passed", severity=2, zone="gate", rule="R-E01", key="grave")
    night.all_hear("incident", grave, *DESK)
    night.forgets()


def test_complaint_4_a_name_that_comes_later_is_written_on_the_same_alarm_and_told_to_nobody_anew(
    night: Night,
) -> None:
    incident = night.raises("unknown_passed", severity=2, zone="gate", rule="R-E01")
    night.all_hear("incident", incident, *DESK, "guard-1", "guard-2")
    assert night.incident(incident).subject is None
    with night.database.write() as session:
        (event,) = session.scalars(select(Evidence.event_ids).where(Evidence.incident == incident)).one()
        seen = Observation(
            id="later",
            event_id=event,
            type="face.identified",
            at=START,
            received_at=START,
            device="gate-device",
            zone="gate",
            ring="entrance",
            person_id="person-7",
            person=PersonFacts("person-7", belongs=True),
            amends=True,
        )
        assert amending.became_known(session, COMPOUND, seen, night.clock.now())
    night.settles()
    assert night.incident(incident).subject == "person-7"
    assert len(night.path(incident)) == 1
    night.silence()


def test_complaint_5_what_happened_before_a_restart_is_told_after_it(night: Night) -> None:
    """The process ends between the incident's commit and everything that follows from it."""
    incident = night.raises("fire", severity=1, settles=False)
    night.silence()
    night.engine = night.start_engine("after the restart")
    night.settles()
    night.all_hear("incident", incident, *DESK)


def test_complaint_5_what_ran_out_while_everything_was_down_is_said_once(night: Night) -> None:
    incident = night.raises("fire", severity=2)
    night.all_hear("incident", incident, *DESK)
    night.clock.moment += dt.timedelta(hours=3)
    night.engine = night.start_engine("after the outage")
    night.settles()
    # One says that nobody has taken it, the other that it still stands: each once, not once a minute missed.
    night.all_hear("escalation", incident, *DESK)
    night.all_hear("incident", incident, *DESK)
    night.silence()


def test_complaint_6_evidence_stays_with_its_open_incident_whatever_its_age(
    either_database: Database, media: MediaStore, vault: Vault
) -> None:
    database = either_database
    keeping.settle_in(database)
    long_ago = keeping.NOW - 400 * keeping.DAY
    kept, gone = keeping.event(long_ago), keeping.event(long_ago)
    incident = keeping.incident(long_ago, State.ACKNOWLEDGED)
    keeping.add(database, kept, gone, incident)
    keeping.add(database, keeping.evidence(incident, [kept]))
    outcome = run(database, media, vault, RetentionPolicy(), keeping.NOW, sleep=lambda _s: None)
    assert outcome.failed == []
    with database.read() as session:
        assert session.get(type(kept), kept.id) is not None
        assert session.get(type(gone), gone.id) is None
        assert session.scalars(select(Evidence.incident)).all() == [incident.id]


def test_complaint_6_evidence_of_what_was_merged_is_found_at_the_incident_that_took_it_in(
    night: Night,
) -> None:
    one = night.raises("loitering", severity=2, key="one")
    other = night.raises("loitering", severity=2, key="other")
    with night.database.write() as session:
        merging.merge(session, COMPOUND, one, other, Actor("op-1", "operator"), night.clock.now())
    night.settles()
    with night.database.read() as session:
        assert set(session.scalars(select(Evidence.incident))) == {one}
        assert len(session.scalars(select(Evidence.signal_id)).all()) == 2
    night.forgets()


def test_complaint_7_a_phone_on_silent_does_not_keep_an_alarm_from_being_taken(night: Night) -> None:
    incident = night.raises("fire", severity=1)
    night.acknowledges(incident)
    night.confirms(incident)
    night.forgets()
    night.phones.silent.update({"guard-1", "guard-2"})
    night.sends(incident, "guard-1", "guard-2")
    night.forgets()
    night.passes(30)
    # Whoever has not answered in time is not waited for: the next are asked.
    asked = set(night.dispatches(incident)) - {"guard-1", "guard-2"}
    assert asked
    night.all_hear("offer", incident, *asked)
    night.all_hear("escalation", incident, *DESK)
    night.passes(60)
    # That nothing came to their phones is told at the desk, where there is a telephone.
    unreached = [one.who for one in night.phones.heard if one.letter.arguments.get("reason") == "unreached"]
    assert set(unreached) >= {"op-1", "op-2"}
    night.forgets()


def test_complaint_8_who_is_on_duty_and_who_is_next_is_known_and_told_to_both(night: Night) -> None:
    soon = START + dt.timedelta(minutes=45)
    with night.database.write() as session:
        session.add(Responder(id="op-next", team="operator", name="op-next", post=None))
        for row in session.scalars(select(Shift).where(Shift.responder == "op-1")):
            row.ends_at = soon
        session.flush()
        session.add(
            Shift(id="next", responder="op-next", starts_at=soon, ends_at=soon + dt.timedelta(hours=8))
        )
    night.give_phone("op-next")
    night.passes(16 * MINUTE)
    ahead = {(one.who, str(one.letter.arguments.get("why"))) for one in night.phones.heard}
    assert ("op-next", "soon") in ahead
    with night.database.read() as session:
        (following,) = next_on_duty(session, COMPOUND, "operator", night.clock.now())
    assert (following.id, following.starts_at) == ("op-next", soon)
    night.forgets()
    night.passes(30 * MINUTE)
    change = {(one.who, str(one.letter.arguments.get("why"))) for one in night.phones.heard}
    assert {("op-next", "begins"), ("op-1", "ends")} <= change
    night.forgets()


def test_complaint_9_one_acknowledgement_does_not_silence_those_who_are_asked_to_come(night: Night) -> None:
    incident = night.raises("fire", severity=2)
    night.acknowledges(incident)
    night.confirms(incident)
    night.sends(incident, "guard-1", "guard-2")
    night.forgets()
    night.answers("guard-1", "accept", incident)
    night.hears("guard-2", "taken", incident)
    night.answers("guard-2", "assist", incident)
    assert night.dispatches(incident) == {"guard-1": "accepted", "guard-2": "assisting"}


def test_complaint_9_an_acknowledgement_runs_out(night: Night) -> None:
    incident = night.raises("fire", severity=2)
    night.all_hear("incident", incident, *DESK)
    night.acknowledges(incident)
    night.passes(2 * MINUTE)
    night.all_hear("escalation", incident, "op-2", "op-lead")


def test_complaint_9_an_old_acknowledged_alert_is_not_escalated_two_months_later(night: Night) -> None:
    incident = night.raises("fire", severity=2)
    night.acknowledges(incident)
    # The ladder is climbed to its end …
    night.passes(60 * MINUTE)
    night.forgets()
    # … and stands still.
    night.passes(60 * DAY)
    assert [one.letter.purpose for one in night.phones.heard if one.letter.incident == incident] == []
    night.forgets()


@pytest.mark.parametrize(
    ("read", "registered"), [("云AD1234", "云A01234"), ("云AQ1234", "云A01234"), ("云A81234", "云AB1234")]
)
def test_complaint_10_a_look_alike_is_neither_let_in_nor_a_stranger(read: str, registered: str) -> None:
    decision = decide_plate([PlateText(read, 0.97)], [registered])
    assert decision.outcome is PlateOutcome.UNCERTAIN
    assert [plate for plate, _ in decision.candidates] == [registered]


@pytest.mark.parametrize(("read", "registered"), [("云AO1234", "云A01234"), ("云AI1234", "云A11234")])
def test_complaint_10_letters_that_no_plate_has_are_the_figures_that_they_look_like(
    read: str, registered: str
) -> None:
    """GA 36: no O and no I behind the first letter."""
    decision = decide_plate([PlateText(read, 0.97)], [registered])
    assert (decision.outcome, decision.text) == (PlateOutcome.IDENTIFIED, registered)


def test_the_square_is_everybodys_who_hears_of_it(night: Night) -> None:
    """What the other stories take for granted: who hears of something confirmed there."""
    incident = night.raises("fire", severity=2)
    night.all_hear("incident", incident, *DESK)
    night.acknowledges(incident)
    night.confirms(incident)
    heard = {one.who for one in night.phones.heard}
    assert heard >= set(SQUARE)
    night.forgets()
