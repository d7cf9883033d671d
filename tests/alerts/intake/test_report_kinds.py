"""How grave what people report is, and what makes two reports one thing."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.incidents.lifecycle import State
from alerts.intake import faults, feedback, kinds
from alerts.intake.feedback import STAGES, Stage, news
from alerts.intake.kinds import DISPUTES, TABLE, VIOLENCE, Danger, ReportKind

KINDS = st.sampled_from(list(ReportKind))
DANGERS = st.sampled_from(list(Danger))


def test_every_kind_has_its_line_in_the_table():
    assert set(TABLE) == set(ReportKind)
    assert all(1 <= facts.severity <= 4 for facts in TABLE.values())
    assert all(dt.timedelta(0) < facts.window <= dt.timedelta(days=1) for facts in TABLE.values())


@pytest.mark.parametrize(
    ("kind", "danger", "severity"),
    [
        (ReportKind.FIRE, Danger.NONE, 1),
        (ReportKind.MEDICAL, Danger.NONE, 1),
        (ReportKind.FALL, Danger.NONE, 2),
        (ReportKind.FALL, Danger.DANGER, 1),
        (ReportKind.NOISE, Danger.NONE, 4),
        (ReportKind.NOISE, Danger.DANGER, 2),
        (ReportKind.NOISE, Danger.VIOLENCE, 1),
        (ReportKind.DISPUTE, Danger.NONE, 4),
        (ReportKind.ILLEGAL_PARKING, Danger.NONE, 4),
        (ReportKind.LOST_PERSON, Danger.NONE, 2),
    ],
)
def test_severity_is_the_tables(kind, danger, severity):
    assert kinds.severity(kind, danger) == severity


@given(KINDS, DANGERS)
def test_danger_never_makes_anything_milder_and_violence_is_always_critical(kind, danger):
    assert kinds.severity(kind, danger) <= TABLE[kind].severity
    assert kinds.severity(kind, Danger.VIOLENCE) == 1
    assert kinds.severity(kind, Danger.DANGER) <= 2


@given(KINDS)
def test_violence_is_one_kind_whatever_it_began_as(kind):
    assert kinds.incident_kind(kind, Danger.VIOLENCE) == VIOLENCE
    assert kinds.incident_kind(kind, Danger.NONE) == f"reported.{kind}"
    assert VIOLENCE not in DISPUTES


@given(KINDS, DANGERS)
def test_numbers_are_the_three_that_people_call(kind, danger):
    assert kinds.number(kind, danger) in {None, "110", "119", "120"}
    assert kinds.number(kind, Danger.VIOLENCE) == "110"


def test_fire_and_illness_say_whom_to_call_at_once():
    assert kinds.number(ReportKind.FIRE, Danger.NONE) == "119"
    assert kinds.number(ReportKind.MEDICAL, Danger.DANGER) == "120"
    assert kinds.number(ReportKind.NOISE, Danger.NONE) is None


def test_keys_differ_by_kind_place_and_device():
    keys = {
        kinds.key(kind, place, device)
        for kind in ReportKind
        for place in ("b3", "b4")
        for device in (None, "cam-1")
    }
    assert len(keys) == len(ReportKind) * 4


def test_every_state_has_a_stage_and_a_new_report_is_no_news():
    assert set(STAGES) == set(State)
    assert news(None, State.RAISED) is None
    assert news(State.RAISED, State.ACKNOWLEDGED) is Stage.SEEN
    assert news(State.ACKNOWLEDGED, State.CONFIRMED) is None
    assert news(State.DISPATCHED, State.ACCEPTED) is Stage.COMING
    assert news(State.ACCEPTED, State.EN_ROUTE) is None
    assert news(State.ARRIVED, State.RESOLVED) is Stage.DONE
    assert news(State.RESOLVED, State.CLOSED) is None
    assert news(State.RAISED, State.FALSE_ALARM) is Stage.NOTHING
    assert news(State.RAISED, State.MERGED) is None


@given(st.sampled_from(list(State)), st.sampled_from(list(State)))
def test_a_stage_is_told_only_where_it_changed(before, to):
    told = feedback.news(before, to)
    assert told is None or (STAGES[before] is not told and STAGES[to] is told)


def test_a_fault_is_one_once_it_is_confirmed_and_damage_as_soon_as_it_is_said():
    assert faults.fault_of("R-D01", "device.offline", State.RAISED) is None
    assert faults.fault_of("R-D01", "device.offline", State.CONFIRMED) == "offline"
    assert faults.fault_of("intake", "reported.damaged", State.RAISED) == "damaged"
    assert faults.fault_of("intake", "reported.damaged", State.CONFIRMED) is None
    assert faults.fault_of("R-B05", "door.forced", State.CONFIRMED) is None


def test_everything_about_one_device_is_one_key():
    one = faults.open_key("cam-1", None, "hall", "offline")
    assert one == faults.open_key("cam-1", None, "gate", "clock")
    assert one != faults.open_key("cam-2", None, "hall", "offline")
    assert faults.open_key(None, None, "b3", "lamp") != faults.open_key(None, None, "b3", "door")


NOON = dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)


def passed(*states: State) -> list[tuple[State, dt.datetime]]:
    return [(state, NOON + dt.timedelta(minutes=n)) for n, state in enumerate(states, 1)]


@pytest.mark.parametrize(
    ("states", "stages"),
    [
        ([], ["received"]),
        ([State.RAISED], ["received"]),
        ([State.ACKNOWLEDGED, State.CONFIRMED, State.DISPATCHED], ["received", "seen"]),
        ([State.ACKNOWLEDGED, State.ACCEPTED, State.ARRIVED], ["received", "seen", "coming"]),
        ([State.ACKNOWLEDGED, State.ACCEPTED, State.DISPATCHED], ["received", "seen"]),
        (
            [State.CONFIRMED, State.ACCEPTED, State.RESOLVED, State.CLOSED],
            ["received", "seen", "coming", "done"],
        ),
        ([State.CONFIRMED, State.RESOLVED, State.REOPENED], ["received", "seen"]),
        ([State.FALSE_ALARM], ["received", "nothing"]),
        ([State.ACKNOWLEDGED, State.MERGED], ["received", "seen"]),
    ],
)
def test_the_way_of_a_report_is_what_holds_of_its_steps(states, stages):
    way = feedback.course(NOON, passed(*states))
    assert [step.stage for step in way] == stages


def test_each_step_bears_the_time_when_it_was_first_come_to_and_none_is_before_the_report():
    late = NOON + dt.timedelta(minutes=1, seconds=30)
    way = feedback.course(late, passed(State.ACKNOWLEDGED, State.CONFIRMED, State.ACCEPTED))
    assert [step.at for step in way] == [late, late, NOON + dt.timedelta(minutes=3)]


@given(st.lists(st.sampled_from(list(State)), max_size=12))
def test_a_way_goes_forward_only_and_ends_where_the_reporter_hears_that_it_is(states):
    way = feedback.course(NOON, passed(*states))
    assert [step.at for step in way] == sorted(step.at for step in way)
    stages = [step.stage for step in way]
    assert len(set(stages)) == len(stages)
    assert not {*stages} & {*feedback.ahead(way)}
    told = [STAGES[state] for state in states if STAGES[state] is not Stage.RECEIVED]
    assert stages[-1] is (told[-1] if told else Stage.RECEIVED)


def test_what_is_over_has_nothing_ahead():
    assert feedback.ahead(feedback.course(NOON, passed(State.FALSE_ALARM))) == ()
    assert feedback.ahead(feedback.course(NOON, passed(State.RESOLVED))) == ()
    assert feedback.ahead(feedback.course(NOON, [])) == (Stage.SEEN, Stage.COMING, Stage.DONE)
