"""Two incidents that are one thing, and were not after all."""

import pytest
from saying import (
    again,
    evidence_of,
    incidents,
    keys_of,
    looks,
    moment,
    one_thing,
    path_of,
    raise_one,
    said,
    told,
    write,
)
from sqlalchemy import select
from timeline import COMPOUND, OPERATOR

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents import actions, answers, linking, merging, proposals, timers
from alerts.incidents.lifecycle import Comparison, FalseAlarmReason, State, Step, StepRefusedError
from alerts.incidents.merging import MergeRefusedError
from alerts.incidents.models import Incident, MergeProposal
from alerts.incidents.record import IncidentNotFoundError, StaleVersionError
from alerts.rules.building.door_forced import DoorForced
from storage import Database, audit
from storage.audit import AuditRow


def step(database: Database, incident: Incident, *states: State, at: float = 5) -> None:
    with database.write() as session:
        for state in states:
            reason = FalseAlarmReason.COURIER if state is State.FALSE_ALARM else None
            actions.take_step(session, incident.id, Step(state, reason=reason), OPERATOR, moment(at))


def merge(database: Database, target: Incident, source: Incident, at: float = 10, **more: object) -> str:
    with database.write() as session:
        made = merging.merge(session, COMPOUND, target.id, source.id, OPERATOR, moment(at), **more)
        return made.id


def undo(database: Database, merge_id: str, at: float = 20) -> None:
    with database.write() as session:
        merging.undo(session, COMPOUND, merge_id, OPERATOR, moment(at))


def refused(work, *args: object, **more: object) -> str:
    with pytest.raises(MergeRefusedError) as error:
        work(*args, **more)
    return error.value.code


@pytest.fixture
def two(database: Database) -> tuple[Incident, Incident]:
    """An unknown person at the gate, a minute later a forced door in the hall: one thing, as it turns out."""
    gate = raise_one(database, "a", 0, severity=4)
    hall = raise_one(
        database,
        "b",
        2,
        severity=2,
        ring="building",
        rule=DoorForced.id,
        reason="door_forced",
        reason_args={"door": "hall"},
        subject_kind="plate",
        subject="云M00000",
    )
    write(database, said("a", 3, severity=4), at=3)
    return again(database, gate), again(database, hall)


def test_preview_says_what_the_merge_then_makes_and_changes_nothing(database: Database, two) -> None:
    gate, hall = two
    before = [looks(one) for one in incidents(database)]
    with database.write() as session:
        shown = merging.preview(session, COMPOUND, gate.id, hall.id)
    assert [looks(one) for one in incidents(database)] == before
    assert (shown.severity, shown.kind, shown.evidence, shown.keys, shown.dispatches, shown.refused) == (
        2,
        "kind-of-R-B05",
        3,
        ("a", "b"),
        0,
        None,
    )
    merge(database, gate, hall, target_version=shown.target_version, source_version=shown.source_version)
    made = again(database, gate)
    for name in ("severity", "kind", "reason", "reason_args", "state", "needs_comparison", "happened_at"):
        assert getattr(made, name) == getattr(shown, name), name
    assert len(evidence_of(database, made)) == shown.evidence
    assert tuple(keys_of(database, made)) == shown.keys


def test_evidence_and_keys_belong_to_the_target_and_the_source_has_ended(database: Database, two) -> None:
    gate, hall = two
    merge(database, gate, hall)
    target, source = again(database, gate), again(database, hall)
    assert (source.state, source.merged_into, source.due_at) == (State.MERGED, target.id, None)
    assert not State(source.state).is_open
    assert evidence_of(database, source) == keys_of(database, source) == []
    assert {row.moved_from for row in evidence_of(database, target)} == {None, source.id}
    assert (target.signal_count, target.zone, target.subject) == (3, "building", "云M00000")
    assert [(one.to_state, one.reason, one.note, one.actor) for one in path_of(database, target)][-1] == (
        State.RAISED,
        "took_in",
        source.id,
        OPERATOR.id,
    )
    assert path_of(database, source)[-1].reason == "merged"
    # A further signal of the source's key is the target's.
    write(database, said("b", 30, severity=3), at=30)
    assert again(database, gate).signal_count == 4
    # Urgent now, so somebody has to look within a minute of that.
    assert target.due_at == moment(70)
    assert [(one.id, one.state) for one in told(database)][-3:-1] == [
        (source.id, "merged"),
        (target.id, "raised"),
    ]


def test_merge_is_audited_with_both(database: Database, two) -> None:
    gate, hall = two
    undo(database, merge(database, gate, hall))
    with database.read() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.seq)).all()
        assert [(row.action, row.actor, row.subject) for row in rows] == [
            ("incident.merged", OPERATOR.id, gate.id),
            ("incident.merge_undone", OPERATOR.id, gate.id),
        ]
        assert audit.verify(session) is None


def test_undo_brings_both_back_exactly(database: Database, two) -> None:
    gate, hall = two
    step(database, gate, State.ACKNOWLEDGED)
    step(database, hall, State.ACKNOWLEDGED)
    before = [looks(again(database, one)) for one in two]
    stood = [[row.signal_id for row in evidence_of(database, one)] for one in two]
    undo(database, merge(database, gate, hall))
    assert [looks(again(database, one)) for one in two] == before
    assert [[row.signal_id for row in evidence_of(database, one)] for one in two] == stood
    assert [keys_of(database, one) for one in two] == [["a"], ["b"]]
    assert again(database, hall).merged_into is None
    assert all(row.moved_from is None for one in two for row in evidence_of(database, one))
    # Both are waited for again.
    assert [again(database, one).due_at for one in two] == [None, moment(20 + 120)]
    assert [one.reason for one in path_of(database, hall)][-2:] == ["merged", "merge_undone"]


def test_what_was_said_since_goes_to_whose_key_it_has(database: Database, two) -> None:
    gate, hall = two
    made = merge(database, gate, hall)
    write(database, said("b", 12, severity=1, rule=DoorForced.id, ring="building"), at=12)
    write(database, said("a", 13, severity=3), at=13)
    assert again(database, gate).severity == 1
    undo(database, made)
    first, second = again(database, gate), again(database, hall)
    assert (first.severity, first.signal_count, first.last_signal_at) == (3, 3, moment(13))
    assert (second.severity, second.signal_count, second.last_signal_at) == (1, 2, moment(12))
    assert [len(evidence_of(database, one)) for one in two] == [3, 2]


@pytest.mark.parametrize("work", ["step", "send", "answer"])
def test_undo_is_refused_once_somebody_worked_on_it(database: Database, two, work: str) -> None:
    gate, hall = two
    made = merge(database, gate, hall)
    with database.write() as session:
        if work == "step":
            actions.take_step(session, gate.id, Step(State.CONFIRMED), OPERATOR, moment(12))
        elif work == "answer":
            answers.give(session, gate.id, Comparison.CANNOT_TELL, OPERATOR, moment(12))
        else:
            session.add(Team(id="guards", compound=COMPOUND, name="保安队", kind=TeamKind.GUARD))
            session.flush()
            session.add(Responder(id="lin", team="guards", name="Lin"))
            session.flush()
            row = Dispatch(id="d1", incident=gate.id, compound=COMPOUND, responder="lin")
            row.state, row.offered_at = DispatchState.OFFERED, moment(12)
            session.add(row)
    assert refused(undo, database, made) == "merge_worked_on"
    assert again(database, hall).state == State.MERGED


def test_who_only_took_it_on_may_find_that_it_is_two_things(database: Database, two) -> None:
    gate, hall = two
    made = merge(database, gate, hall)
    step(database, gate, State.ACKNOWLEDGED, at=12)
    undo(database, made)
    assert [again(database, one).state for one in two] == [State.ACKNOWLEDGED, State.RAISED]


def test_timer_that_ran_out_since_is_nobodys_work(database: Database, two) -> None:
    gate, hall = two
    made = merge(database, gate, hall)
    with database.write() as session:
        assert timers.sweep(session, moment(1000)) == 1
    undo(database, made, at=1001)
    assert again(database, hall).state == State.RAISED


def test_undone_once_is_undone(database: Database, two) -> None:
    made = merge(database, *two)
    undo(database, made)
    assert refused(undo, database, made) == "merge_undone"


def test_what_a_source_had_taken_in_goes_over_with_it_and_comes_back_in_turn(database: Database, two) -> None:
    gate, hall = two
    third = raise_one(database, "c", 4)
    first = merge(database, hall, gate, at=10)
    second = merge(database, third, hall, at=11)
    assert {again(database, one).merged_into for one in two} == {third.id}
    assert again(database, third).signal_count == len(evidence_of(database, third)) == 4
    # No rings, no chains: what is merged is neither merged again nor merged into.
    assert refused(merge, database, gate, third) == "merge_merged"
    assert refused(merge, database, third, gate) == "merge_merged"
    # The first is undone after the second, not through it.
    assert refused(undo, database, first) == "merge_not_last"
    undo(database, second, at=12)
    assert again(database, gate).merged_into == hall.id
    undo(database, first, at=13)
    assert [len(evidence_of(database, one)) for one in (*two, third)] == [2, 1, 1]
    assert again(database, gate).merged_into is None


def test_of_two_merges_the_last_is_undone_first(database: Database, two) -> None:
    gate, hall = two
    third = raise_one(database, "c", 4)
    first = merge(database, gate, hall, at=10)
    merge(database, gate, third, at=11)
    assert refused(undo, database, first) == "merge_not_last"


def test_refusals_name_why(database: Database, two) -> None:
    gate, hall = two
    assert refused(merge, database, gate, gate) == "merge_self"
    step(database, hall, State.CONFIRMED)
    assert refused(merge, database, gate, hall) == "merge_further"
    merged_the_other_way = merge(database, hall, gate)
    undo(database, merged_the_other_way)
    step(database, hall, State.RESOLVED)
    assert refused(merge, database, hall, gate) == "merge_ended"
    step(database, gate, State.FALSE_ALARM)
    assert refused(merge, database, hall, gate) == "merge_ended"


def test_care_is_not_merged_into_an_alarm(database: Database, two) -> None:
    gate, hall = two
    with database.write() as session:
        session.get_one(Incident, hall.id).care = True
    assert refused(merge, database, gate, hall) == "merge_care"


def test_only_what_was_previewed_is_merged(database: Database, two) -> None:
    gate, hall = two
    with pytest.raises(StaleVersionError) as stale:
        merge(database, gate, hall, target_version=gate.version, source_version=hall.version + 1)
    assert stale.value.incident_id == hall.id


def test_another_compounds_incident_is_not_there(database: Database, two) -> None:
    gate, hall = two
    with database.write() as session, pytest.raises(IncidentNotFoundError):
        merging.merge(session, "poplar", gate.id, hall.id, OPERATOR, moment(9))


def proposal(database: Database) -> MergeProposal:
    with database.read() as session:
        (row,) = session.scalars(select(MergeProposal))
        session.expunge_all()
    return row


def test_proposal_is_merged_into_the_one_that_is_named(database: Database, two) -> None:
    gate, hall = two
    write(database, one_thing("a", "b"))
    with database.write() as session:
        _, made = proposals.decide(
            session, COMPOUND, proposal(database).id, OPERATOR, moment(9), target_id=gate.id
        )
        assert (made.target, made.source, made.rule) == (gate.id, hall.id, None)
    asked = proposal(database)
    assert (asked.state, asked.decided_by, asked.decided_at) == ("merged", OPERATOR.id, moment(9))


def test_refused_proposal_is_not_asked_again(database: Database, two) -> None:
    write(database, one_thing("a", "b"))
    with database.write() as session:
        proposals.decide(session, COMPOUND, proposal(database).id, OPERATOR, moment(9), target_id=None)
    assert proposal(database).state == "refused"
    assert write(database, one_thing("b", "a"), at=10) == []
    with database.write() as session, pytest.raises(MergeRefusedError, match="proposal_decided"):
        proposals.decide(session, COMPOUND, proposal(database).id, OPERATOR, moment(9), target_id=two[0].id)


def test_proposal_cannot_be_merged_into_a_third(database: Database, two) -> None:
    third = raise_one(database, "c", 4)
    write(database, one_thing("a", "b"))
    with database.write() as session, pytest.raises(MergeRefusedError, match="proposal_other"):
        proposals.decide(session, COMPOUND, proposal(database).id, OPERATOR, moment(9), target_id=third.id)


# ── links that are only probable ──────────────────────────────────────────────


def chain(database: Database) -> tuple[Incident, Incident]:
    """Somebody at the gate, somebody at the sheds, and a rule that takes them for one and a third for it."""
    gate, sheds = raise_one(database, "a", 0, severity=4), raise_one(database, "b", 1, severity=3)
    weak = said("x", 2, severity=2, rule="R-X01", joins=("a", "b", "c"), probable=True)
    write(database, weak, said("c", 2, severity=2, rule="R-C01", ring="common"), at=2)
    return gate, sheds


def test_weak_link_is_marked_and_confirmed_only_after_somebody_answered_for_it(database: Database) -> None:
    gate, sheds = chain(database)
    incident = again(database, gate)
    assert (incident.probable, incident.severity, again(database, sheds).state) == (True, 2, State.MERGED)
    for _ in range(2):
        with pytest.raises(StepRefusedError) as error:
            step(database, gate, State.CONFIRMED)
        assert error.value.code == "link_unanswered"
        if again(database, gate).state == State.RAISED:
            step(database, gate, State.ACKNOWLEDGED)
    assert again(database, gate).probable
    with database.write() as session:
        linking.right(session, COMPOUND, gate.id, OPERATOR, moment(5))
    step(database, gate, State.CONFIRMED, at=6)
    assert again(database, gate).state == State.CONFIRMED


def test_weak_link_does_not_keep_a_false_alarm_open(database: Database) -> None:
    gate, _ = chain(database)
    step(database, gate, State.FALSE_ALARM)
    assert again(database, gate).state == State.FALSE_ALARM


def test_link_is_called_right_without_confirming(database: Database) -> None:
    gate, _ = chain(database)
    with database.write() as session:
        linking.right(session, COMPOUND, gate.id, OPERATOR, moment(5))
    incident = again(database, gate)
    assert (incident.probable, incident.state, incident.severity) == (False, State.RAISED, 2)
    with database.write() as session, pytest.raises(MergeRefusedError, match="not_probable"):
        linking.right(session, COMPOUND, gate.id, OPERATOR, moment(6))


def test_wrong_link_is_taken_apart_and_each_part_is_what_it_was(database: Database) -> None:
    gate, sheds = chain(database)
    with database.write() as session:
        apart = linking.wrong(session, COMPOUND, gate.id, OPERATOR, moment(5))
    assert [one.key for one in apart] == ["a", "b", "c"]
    first, second, third = (again(database, one) for one in apart)
    assert (first.id, second.id) == (gate.id, sheds.id)
    assert [(one.severity, one.state, one.probable) for one in (first, second, third)] == [
        (4, State.RAISED, False),
        (3, State.RAISED, False),
        (2, State.RAISED, False),
    ]
    assert (third.rule, third.ring, keys_of(database, third)) == ("R-C01", "common", ["c"])
    # The word of the rule stays as evidence, refuted.
    refuted = [row for row in evidence_of(database, first) if row.rule == "R-X01"]
    assert [row.trace["refuted_by"] for row in refuted] == [OPERATOR.id]
    assert path_of(database, third)[0].actor == OPERATOR.id
    assert path_of(database, third)[0].reason == "split_off"


def test_link_on_which_people_worked_stays(database: Database) -> None:
    gate, _ = chain(database)
    with database.write() as session:
        linking.right(session, COMPOUND, gate.id, OPERATOR, moment(4))
    step(database, gate, State.CONFIRMED)
    write(database, said("x", 6, severity=2, rule="R-X01", joins=("a",), probable=True), at=6)
    with database.write() as session, pytest.raises(MergeRefusedError, match="merge_worked_on"):
        linking.wrong(session, COMPOUND, gate.id, OPERATOR, moment(6))
