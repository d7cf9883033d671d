"""Keys: what makes signals one incident, whoever writes and in whatever order; and what an incident looks like."""

import dataclasses
import random
import time
from collections.abc import Callable

import pytest
from saying import (
    again,
    at_once,
    blind,
    evidence_of,
    incidents,
    keys_of,
    moment,
    one_thing,
    over,
    path_of,
    raise_one,
    said,
    told,
    write,
)
from sqlalchemy import select
from timeline import COMPOUND, OPERATOR

from alerts.incidents import actions, raising
from alerts.incidents.holding import by_budget
from alerts.incidents.lifecycle import Comparison, FalseAlarmReason, ReopenReason, State, Step
from alerts.incidents.models import Incident, IncidentMerge, MergeProposal
from alerts.rulebook.values import Budget
from alerts.rules import Mode, RuleBook
from storage import Database

FALSE = Step(State.FALSE_ALARM, reason=FalseAlarmReason.COURIER)


def step(database: Database, incident, *steps: Step, at: float = 0) -> None:
    with database.write() as session:
        for one in steps:
            actions.take_step(session, incident.id, one, OPERATOR, moment(at))


@pytest.mark.parametrize("rounds", [4])
def test_eight_writers_within_five_milliseconds_make_one_incident(
    each_database: Database, rounds: int
) -> None:
    """As in a hand-over between evaluators, or when a message comes twice: the key's row decides."""
    chance = random.Random(5)

    def writer(key: str, number: int, pause: float) -> Callable[[], None]:
        one = said(key, number / 1000)

        def work() -> None:
            # Not a wait for something: the gap between two writers is what is tried here.
            time.sleep(pause)
            write(each_database, one, at=number / 1000)

        return work

    for round_ in range(rounds):
        key = f"R-E01:lane-{round_}"
        at_once([writer(key, number, chance.uniform(0, 0.005)) for number in range(8)])
    made = incidents(each_database)
    assert [(one.signal_count, one.version) for one in made] == [(8, 8)] * rounds
    for one in made:
        assert len(evidence_of(each_database, one)) == 8
        assert len(path_of(each_database, one)) == 1
        assert keys_of(each_database, one) == [one.key]
    assert len(told(each_database)) == 8 * rounds


def test_eight_writers_of_the_same_signal_write_it_once(each_database: Database) -> None:
    one = said("R-E01:gate")
    at_once([lambda: write(each_database, one) and None] * 8)
    (incident,) = incidents(each_database)
    assert (incident.signal_count, incident.version) == (1, 1)
    assert len(told(each_database)) == 1


def test_writers_that_join_the_same_two_at_once_merge_them_once(each_database: Database) -> None:
    raise_one(each_database, "a", 0)
    raise_one(each_database, "b", 1)
    joins = [said(f"x-{number}", 2, joins=("a", "b")) for number in range(6)]
    at_once([lambda one=one: write(each_database, one, at=2) and None for one in joins])
    first, second = incidents(each_database)
    assert (first.state, second.state, second.merged_into) == ("raised", "merged", first.id)
    assert first.signal_count == len(evidence_of(each_database, first)) == 8
    assert keys_of(each_database, first) == ["a", "b", *sorted(f"x-{number}" for number in range(6))]
    with each_database.read() as session:
        assert len(session.scalars(select(IncidentMerge)).all()) == 1


def test_two_are_proposed_once_whoever_says_so_at_once(each_database: Database) -> None:
    raise_one(each_database, "a", 0)
    raise_one(each_database, "b", 1)
    at_once([lambda: write(each_database, one_thing("a", "b"), at=2) and None] * 6)
    with each_database.read() as session:
        assert len(session.scalars(select(MergeProposal)).all()) == 1


def test_key_that_was_quiet_for_its_window_begins_another_incident_and_the_other_keys_stay(
    database: Database,
) -> None:
    first = raise_one(database, "a", 0)
    write(database, said("b", 10, joins=("a",)), at=10)
    second = raise_one(database, "a", 90)
    assert second.id != first.id
    assert (keys_of(database, again(database, first)), keys_of(database, second)) == (["b"], ["a"])


def test_what_joins_opens_nothing_only_to_be_merged(database: Database) -> None:
    changes = write(database, said("a"), said("b"), said("c", joins=("a", "b"), severity=1))
    assert [change.kind for change in changes] == ["raised", "amended", "amended"]
    (incident,) = incidents(database)
    assert (incident.severity, keys_of(database, incident)) == (1, ["a", "b", "c"])


def test_resolved_incident_takes_no_further_signal_and_takes_its_key_up_when_reopened(
    database: Database,
) -> None:
    first = raise_one(database, "a", 0)
    step(database, first, Step(State.CONFIRMED), Step(State.RESOLVED), at=5)
    assert keys_of(database, first) == []
    step(database, first, Step(State.REOPENED, reason=ReopenReason.NOT_DONE), at=10)
    assert keys_of(database, first) == ["a"]
    assert raise_one(database, "a", 20).id == first.id


def test_reopened_incident_leaves_the_key_to_whom_has_it_by_then(database: Database) -> None:
    first = raise_one(database, "a", 0)
    step(database, first, Step(State.CONFIRMED), Step(State.RESOLVED), at=5)
    second = raise_one(database, "a", 7)
    step(database, first, Step(State.REOPENED, reason=ReopenReason.HAPPENED_AGAIN), at=10)
    assert (keys_of(database, first), keys_of(database, second)) == ([], ["a"])


def test_confirmed_one_is_not_cleared_but_gives_up_the_key(database: Database) -> None:
    first = raise_one(database, "a", 0)
    step(database, first, Step(State.CONFIRMED))
    assert write(database, over("a", 5), at=5) == []
    assert raise_one(database, "a", 10).id != first.id


def test_two_things_that_became_one_are_not_cleared_by_one_of_them(database: Database) -> None:
    first = raise_one(database, "a", 0)
    write(database, said("b", 1, joins=("a",)), at=1)
    assert write(database, over("a", 5), at=5) == []
    assert again(database, first).state == State.RAISED


def test_gravest_signal_says_what_where_and_why_and_a_milder_one_changes_nothing(database: Database) -> None:
    first = raise_one(database, "a", severity=4)
    graver = said(
        "b",
        5,
        severity=1,
        ring="building",
        rule="R-B05",
        joins=("a",),
        reason="door_forced",
        reason_args={"door": "hall"},
    )
    write(database, graver, at=5)
    incident = again(database, first)
    assert (incident.severity, incident.kind, incident.ring, incident.zone) == (
        1,
        "kind-of-R-B05",
        "building",
        "building",
    )
    assert (incident.reason, incident.reason_args) == ("door_forced", {"door": "hall"})
    # Who raised it stays: its false alarms are that rule's.
    assert (incident.rule, incident.key) == ("R-E01", "a")
    write(database, said("a", 9, severity=4, ring="common"), at=9)
    assert again(database, first).zone == "building"
    assert again(database, first).severity == 1


def test_entry_that_a_hit_was_of_stays_whatever_becomes_the_reason(database: Database) -> None:
    first = raise_one(database, "a", severity=3, reason="watchlist_hit", reason_args={"entry_id": "w-1"})
    write(database, said("b", 1, severity=1, joins=("a",), reason="door_forced", reason_args={}), at=1)
    assert again(database, first).reason_args == {"entry_id": "w-1"}


def test_machines_word_makes_an_unconfirmed_incident_one_to_compare(database: Database) -> None:
    first = raise_one(database, "a", severity=3)
    write(database, said("b", 1, severity=2, joins=("a",), needs_comparison=True), at=1)
    assert again(database, first).needs_comparison
    # The same gravity without a picture does not take that back: the card still names somebody.
    write(database, said("c", 2, severity=2, joins=("a",)), at=2)
    assert again(database, first).needs_comparison
    # Something graver that no machine's word on a person caused does.
    write(database, said("d", 3, severity=1, joins=("a",)), at=3)
    assert not again(database, first).needs_comparison


def test_machines_word_is_not_told_to_those_who_are_on_the_way_already(database: Database) -> None:
    first = raise_one(database, "a", severity=3)
    step(database, first, Step(State.CONFIRMED))
    hit = said("b", 1, severity=1, joins=("a",), needs_comparison=True, reason="watchlist_hit")
    write(database, hit, at=1)
    incident = again(database, first)
    assert (incident.severity, incident.reason, incident.kind) == (1, "unknown_passed", "kind-of-R-E01")


def test_evidence_says_what_the_rule_went_by(database: Database) -> None:
    book = RuleBook(version="7", mode=Mode.HEIGHTENED)
    window = (moment(-10), moment(0))
    plain = said("a", stage="late", blind=(blind("gate-camera", -5, 0),))
    signal = dataclasses.replace(plain, window=window)
    (change,) = write(database, signal, book=book)
    incident = change.incident
    assert (incident.rules_version, incident.mode) == ("7", "heightened")
    assert incident.blind == [
        {
            "device": "gate-camera",
            "start": "2026-11-23T01:59:55Z",
            "end": "2026-11-23T02:00:00Z",
            "why": "offline",
        }
    ]
    (row,) = evidence_of(database, incident)
    assert (row.key, row.stage) == ("a", "late")
    assert (row.trace["rules"], row.trace["mode"], row.trace["args"]) == (
        "7",
        "heightened",
        {"lane": "entrance"},
    )
    assert row.trace["window"] == ["2026-11-23T01:59:50Z", "2026-11-23T02:00:00Z"]
    assert row.trace["parameters"], "the rule's own numbers, as they held"
    assert row.trace["blind"] == incident.blind


def test_more_blind_devices_are_added_and_none_twice(database: Database) -> None:
    first = raise_one(database, "a", blind=(blind("x", 0, 1),))
    write(database, said("a", 1, blind=(blind("x", 0, 1), blind("y", 0, 1))), at=1)
    assert [one["device"] for one in again(database, first).blind] == ["x", "y"]


def test_held_back_by_the_budget_and_out_as_soon_as_it_is_grave(database: Database) -> None:
    hold = by_budget(Budget(per_operator=1, per_source=5), operators=1)
    shown = write(database, said("a", severity=3), hold=hold)[0].incident
    held = write(database, said("b", severity=3), at=1, hold=hold)[0].incident
    assert (shown.held, held.held, held.held_reason) == (False, True, "hour_full")
    # Nobody is waited for, since nobody sees it.
    assert (again(database, shown).due_at is None, again(database, held).due_at) == (False, None)
    write(database, said("b", 2, severity=3), at=2, hold=hold)
    assert again(database, held).held
    write(database, said("b", 3, severity=2), at=3, hold=hold)
    out = again(database, held)
    assert (out.held, out.held_reason, out.due_at) == (False, "hour_full", moment(63))


@pytest.mark.parametrize("severity", [1, 2])
def test_budget_never_holds_back_what_is_grave(database: Database, severity: int) -> None:
    hold = by_budget(Budget(per_operator=1, per_source=1), operators=1)
    for number in range(4):
        write(database, said(f"k-{number}", severity=severity), hold=hold)
    assert not any(one.held for one in incidents(database))


class CountingSession:
    """Counts what it is asked, and knows of nothing."""

    def __init__(self) -> None:
        self.asked = 0

    def execute(self, _query: object) -> list[object]:
        self.asked += 1
        return []


@pytest.mark.parametrize(
    ("rule", "severity", "asked"),
    [("R-E01", 1, 0), ("R-E01", 2, 0), ("R-C09", 3, 0), ("R-E12", 4, 0), ("R-B09", 3, 0), ("R-E01", 3, 1)],
)
def test_hour_is_read_only_for_what_may_be_held_back(rule: str, severity: int, asked: int) -> None:
    session = CountingSession()
    incident = Incident(id="i", compound=COMPOUND, rule=rule, severity=severity, device_id="gate-camera")
    assert by_budget(Budget(), operators=1)(session, incident, moment(0)) is None
    assert session.asked == asked


def test_sensor_of_the_plan_list_confirms_itself_where_the_compound_says_so(database: Database) -> None:
    alone = frozenset({"R-B05", "R-E01"})
    forced = write(database, said("a", rule="R-B05"), confirm_alone=alone)[0].incident
    assert [(one.to_state, one.actor, one.reason) for one in path_of(database, forced)] == [
        (State.RAISED, "system", None),
        (State.CONFIRMED, "system", "sensor"),
    ]
    # A face is no sensor, whatever a compound has written down; nor is a sensor that a face stands behind.
    face = write(database, said("b", rule="R-E01"), confirm_alone=alone)[0].incident
    behind = write(database, said("c", rule="R-B05", needs_comparison=True), confirm_alone=alone)[0].incident
    usual = write(database, said("d", rule="R-B05"))[0].incident
    # Nor does a sensor speak for what is only probably the same thing.
    guess = write(database, said("e", rule="R-B05", probable=True), confirm_alone=alone)[0].incident
    assert {again(database, one).state for one in (face, behind, usual, guess)} == {State.RAISED}


def test_automatic_proposal_merges_and_another_is_asked_once(database: Database) -> None:
    for key, at in (("a", 0), ("b", 1), ("c", 2)):
        raise_one(database, key, at)
    changes = write(
        database, one_thing("a", "b", automatic=True), one_thing("a", "c"), one_thing("c", "b"), at=3
    )
    assert [change.kind for change in changes] == ["merged", "proposed"]
    first, second, third = incidents(database)
    assert (second.merged_into, third.merged_into) == (first.id, None)
    with database.read() as session:
        (asked,) = session.scalars(select(MergeProposal))
        assert {asked.first, asked.second} == {first.id, third.id}
        assert (asked.state, asked.reason) == ("open", "near_in_time")
        (made,) = session.scalars(select(IncidentMerge))
        assert (made.rule, made.actor) == ("R-X02", "system")


def test_proposal_is_overtaken_when_one_of_both_ends(database: Database) -> None:
    first, other = raise_one(database, "a"), raise_one(database, "b")
    write(database, one_thing("a", "b"))
    step(database, first, FALSE, at=9)
    with database.read() as session:
        (asked,) = session.scalars(select(MergeProposal))
        assert (asked.state, asked.decided_at, asked.decided_by) == ("overtaken", moment(9), None)
    assert again(database, other).state == State.RAISED


def test_those_with_people_on_the_way_are_not_merged_by_a_rule_but_proposed(database: Database) -> None:
    first, second = raise_one(database, "a", 0), raise_one(database, "b", 1)
    for one in (first, second):
        step(database, one, Step(State.CONFIRMED), Step(State.DISPATCHED), at=2)
    changes = write(database, said("c", 3, joins=("a", "b")), at=3)
    assert [change.kind for change in changes] == ["proposed", "amended"]
    assert (keys_of(database, first), keys_of(database, second)) == (["a", "c"], ["b"])


def test_the_one_that_people_are_further_with_takes_in_the_older(database: Database) -> None:
    older, younger = raise_one(database, "a", 0), raise_one(database, "b", 1)
    step(database, younger, Step(State.CONFIRMED), at=2)
    write(database, said("c", 3, joins=("a", "b")), at=3)
    assert again(database, older).merged_into == younger.id
    assert again(database, younger).state == State.CONFIRMED


def test_answer_of_a_later_step_does_not_change_what_was_compared(database: Database) -> None:
    first = raise_one(database, "a", needs_comparison=True)
    step(
        database,
        first,
        Step(State.CONFIRMED, comparison=Comparison.MATCH),
        Step(State.RESOLVED, comparison=Comparison.NOT_MATCH),
    )
    assert again(database, first).comparison == "match"


def test_false_alarm_for_another_reason_says_which(database: Database) -> None:
    first = raise_one(database, "a")
    other = Step(State.FALSE_ALARM, reason=FalseAlarmReason.OTHER)
    with database.write() as session:
        with pytest.raises(Exception, match="note_required"):
            actions.take_step(session, first.id, other, OPERATOR, moment(1), note="  ")
        actions.take_step(session, first.id, other, OPERATOR, moment(1), note="a kite")
    assert again(database, first).state == State.FALSE_ALARM


def test_step_of_a_slower_hand_is_not_dated_before_the_one_that_it_follows(database: Database) -> None:
    first = raise_one(database, "a", 10)
    step(database, first, Step(State.ACKNOWLEDGED), at=20)
    step(database, first, Step(State.CONFIRMED), at=19)
    times = [one.at for one in path_of(database, first)]
    assert times == [moment(10), moment(20), moment(20)]


def test_another_compound_has_keys_of_its_own(database: Database) -> None:
    raise_one(database, "a")
    with database.write() as session:
        raising.apply_all(session, "poplar", [said("a", 1)], moment(1))
    assert len(incidents(database)) == 2
