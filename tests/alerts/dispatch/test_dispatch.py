"""Asking people to go: the first who accepts leads, and the end calls everybody off."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from post import Post
from sqlalchemy import select
from timeline import OPERATOR, START

from alerts.dispatch import actions
from alerts.dispatch.actions import DispatchNotFoundError, DispatchRefusedError
from alerts.dispatch.models import Dispatch, DispatchState
from alerts.duty.models import Team, TeamKind
from alerts.incidents.actions import take_step
from alerts.incidents.lifecycle import FalseAlarmReason, ReopenReason, State, Step, StepRefusedError
from alerts.incidents.models import Incident, Transition
from alerts.incidents.record import StaleVersionError
from bus.messages import DispatchChanged, decode
from registry.models import Compound
from storage.audit import AuditRow
from storage.events import OutboxRow


def later(seconds: float) -> dt.datetime:
    return START + dt.timedelta(seconds=seconds)


def send(post, incident: str, *names: str, second: float = 0, **options: object) -> dict[str, str]:
    """Asks `names`; gives the ids of their dispatches."""
    with post.database.write() as session:
        sent = actions.send(session, incident, names, OPERATOR, later(second), **options)
        return {row.responder: row.id for row in sent}


def answer(post, action, key: str, name: str, second: float = 1, *args: object) -> DispatchState:
    with post.database.write() as session:
        return action(session, key, name, later(second), *args).state


def states(post, incident: str) -> dict[str, DispatchState]:
    with post.database.read() as session:
        return dict(
            session.execute(
                select(Dispatch.responder, Dispatch.state).where(Dispatch.incident == incident)
            ).all()
        )


def told(post) -> list[tuple[str, str]]:
    """What phones and console heard of dispatches, in order."""
    with post.database.read() as session:
        messages = [
            decode(payload) for payload in session.scalars(select(OutboxRow.payload).order_by(OutboxRow.seq))
        ]
    return [(one.responder_id, one.state) for one in messages if isinstance(one, DispatchChanged)]


def test_sending_asks_everybody_named_moves_the_incident_and_is_audited(post) -> None:
    incident = post.incident()
    sent = send(post, incident, "lin", "zhou", "lin")
    assert set(sent) == {"lin", "zhou"}
    assert states(post, incident) == {"lin": DispatchState.OFFERED, "zhou": DispatchState.OFFERED}
    assert post.of(incident).state == State.DISPATCHED
    assert told(post) == [("lin", "offered"), ("zhou", "offered")]
    with post.database.read() as session:
        row = session.scalars(select(AuditRow)).one()
        assert (row.actor, row.role, row.action) == ("operator-1", "operator", "incident.dispatch")
        assert (row.purpose, row.subject, row.detail) == ("incident_handling", incident, "lin,zhou")
        step = session.scalars(select(Transition)).one()
        assert (step.to_state, step.actor) == (State.DISPATCHED, "operator-1")


def test_asking_again_changes_nothing_for_who_has_it_and_asks_who_declined(post) -> None:
    incident = post.incident()
    sent = send(post, incident, "lin", "zhou")
    answer(post, actions.decline, sent["zhou"], "zhou")
    assert send(post, incident, "lin", "zhou", "he", second=5).keys() == {"zhou", "he"}
    assert set(states(post, incident).values()) == {DispatchState.OFFERED}
    assert post.dispatch(sent["zhou"]).answered_at is None


SENDABLE = {State.CONFIRMED, State.REOPENED, State.DISPATCHED, State.ACCEPTED, State.EN_ROUTE}


@pytest.mark.parametrize("state", [state for state in State if state not in SENDABLE])
def test_nobody_is_sent_before_confirmation_or_after_arrival(post, state: State) -> None:
    incident = post.incident(state)
    with pytest.raises(StepRefusedError):
        send(post, incident, "lin")
    assert states(post, incident) == {}


def test_sending_nobody_or_a_stranger_is_refused(post) -> None:
    incident = post.incident()
    for names, code in (((), "nobody_named"), (("lin", "stranger"), "unknown_responder")):
        with pytest.raises(DispatchRefusedError) as refused:
            send(post, incident, *names)
        assert refused.value.code == code
    assert states(post, incident) == {}
    assert post.of(incident).state == State.CONFIRMED


def test_responder_of_another_compound_is_a_stranger(post) -> None:
    post.add(
        Compound(id="poplar", name="白杨小区", time_zone="Asia/Shanghai"),
        Team(id="far", compound="poplar", name="义警队", kind=TeamKind.VOLUNTEER_POLICE),
    )
    post.responder("tang", team="far")
    with pytest.raises(DispatchRefusedError) as refused:
        send(post, post.incident(), "tang")
    assert refused.value.code == "unknown_responder"


def test_sending_on_an_old_version_is_refused(post) -> None:
    incident = post.incident()
    send(post, incident, "lin", expected_version=2)
    with pytest.raises(StaleVersionError) as stale:
        send(post, incident, "zhou", expected_version=2)
    assert stale.value.current_version == 3


def test_first_who_accepts_leads_and_the_others_see_it_taken(post) -> None:
    incident = post.incident()
    sent = send(post, incident, "lin", "zhou")
    assert answer(post, actions.accept, sent["zhou"], "zhou") == DispatchState.ACCEPTED
    assert states(post, incident) == {"lin": DispatchState.TAKEN, "zhou": DispatchState.ACCEPTED}
    assert told(post)[2:] == [("zhou", "accepted"), ("lin", "taken")]
    assert post.of(incident).state == State.ACCEPTED
    # Pressed a moment too late, the other phone says so and nothing moves.
    assert answer(post, actions.accept, sent["lin"], "lin", 2) == DispatchState.TAKEN
    assert len(told(post)) == 4


def test_accepting_twice_changes_nothing(post) -> None:
    incident = post.incident()
    sent = send(post, incident, "lin")
    answer(post, actions.accept, sent["lin"], "lin")
    before = (post.of(incident).version, told(post), post.dispatch(sent["lin"]).answered_at)
    assert answer(post, actions.accept, sent["lin"], "lin", 30) == DispatchState.ACCEPTED
    assert (post.of(incident).version, told(post), post.dispatch(sent["lin"]).answered_at) == before


def test_asked_after_somebody_leads_one_goes_along(post) -> None:
    incident = post.incident()
    first = send(post, incident, "lin")
    answer(post, actions.accept, first["lin"], "lin")
    second = send(post, incident, "zhou", second=5)
    assert answer(post, actions.accept, second["zhou"], "zhou", 6) == DispatchState.ASSISTING
    assert post.dispatch(first["lin"]).lead_of == incident


def test_two_who_accept_at_the_same_moment_make_one_lead(each_post) -> None:
    for _ in range(6):
        incident = each_post.incident()
        sent = send(each_post, incident, "lin", "zhou")
        start = threading.Barrier(2)

        def press(name: str, sent=sent, start=start) -> DispatchState:
            start.wait(timeout=30)
            return answer(each_post, actions.accept, sent[name], name)

        with ThreadPoolExecutor(2) as pool:
            pressed = [pool.submit(press, name) for name in ("lin", "zhou")]
            got = sorted(future.result(timeout=60) for future in pressed)
        assert got == [DispatchState.ACCEPTED, DispatchState.TAKEN]
        assert sorted(states(each_post, incident).values()) == got
        assert post_leads(each_post, incident) == 1
        with each_post.database.read() as session:
            steps = session.scalars(select(Transition.to_state).where(Transition.incident == incident))
            assert sorted(steps) == [State.ACCEPTED, State.DISPATCHED]


def post_leads(post, incident: str) -> int:
    with post.database.read() as session:
        return len(session.scalars(select(Dispatch.id).where(Dispatch.lead_of == incident)).all())


def test_second_press_that_had_read_the_offer_before_the_first_changes_nothing(on_postgres) -> None:
    post = Post(on_postgres)
    incident = post.incident()
    key = send(post, incident, "lin")["lin"]
    with post.database.write() as slow:
        read = slow.get_one(Dispatch, key)
        assert answer(post, actions.accept, key, "lin", 1) == DispatchState.ACCEPTED
        assert actions.accept(slow, key, "lin", later(2)) is read
    assert post.dispatch(key).answered_at == later(1)
    assert told(post) == [("lin", "offered"), ("lin", "accepted")]


def test_leader_who_declines_gives_it_back(post) -> None:
    incident = post.incident()
    sent = send(post, incident, "lin", "zhou")
    answer(post, actions.accept, sent["lin"], "lin")
    assert answer(post, actions.decline, sent["lin"], "lin", 5) == DispatchState.DECLINED
    assert post.of(incident).state == State.DISPATCHED
    assert states(post, incident) == {"lin": DispatchState.DECLINED, "zhou": DispatchState.OFFERED}
    assert told(post)[-2:] == [("lin", "declined"), ("zhou", "offered")]
    with post.database.read() as session:
        last = session.scalars(select(Transition).order_by(Transition.version.desc())).first()
        assert (last.actor, last.role, last.reason) == ("lin", "responder", "declined")
    assert answer(post, actions.accept, sent["zhou"], "zhou", 6) == DispatchState.ACCEPTED


def test_declining_an_offer_leaves_the_leader_alone(post) -> None:
    incident = post.incident()
    sent = send(post, incident, "lin", "zhou", "he")
    answer(post, actions.decline, sent["he"], "he")
    answer(post, actions.accept, sent["lin"], "lin")
    answer(post, actions.decline, sent["zhou"], "zhou", 3)
    assert answer(post, actions.decline, sent["zhou"], "zhou", 4) == DispatchState.DECLINED
    assert post.of(incident).state == State.ACCEPTED
    assert post_leads(post, incident) == 1


def test_arriving_and_resolving_write_the_leaders_way(post) -> None:
    incident = post.incident()
    sent = send(post, incident, "lin", "zhou")
    answer(post, actions.accept, sent["lin"], "lin", 10)
    assert answer(post, actions.arrive, sent["lin"], "lin", 160) == DispatchState.ARRIVED
    assert answer(post, actions.arrive, sent["lin"], "lin", 170) == DispatchState.ARRIVED
    assert answer(post, actions.resolve, sent["lin"], "lin", 300, "door shut") == DispatchState.RESOLVED
    assert answer(post, actions.resolve, sent["lin"], "lin", 310, "again") == DispatchState.RESOLVED
    row = post.dispatch(sent["lin"])
    assert (row.answered_at, row.arrived_at, row.resolved_at) == (later(10), later(160), later(300))
    ended = post.of(incident)
    assert (ended.state, ended.resolution) == (State.RESOLVED, "door shut")
    assert states(post, incident)["zhou"] == DispatchState.CANCELLED
    with post.database.read() as session:
        steps = session.execute(
            select(Transition.to_state, Transition.actor).order_by(Transition.version)
        ).all()
    assert steps == [
        (State.DISPATCHED, "operator-1"),
        (State.ACCEPTED, "lin"),
        (State.ARRIVED, "lin"),
        (State.RESOLVED, "lin"),
    ]


@pytest.mark.parametrize("action", [actions.arrive, actions.resolve])
def test_only_the_leader_arrives_and_resolves(post, action) -> None:
    incident = post.incident()
    sent = send(post, incident, "lin", "zhou")
    with pytest.raises(DispatchRefusedError) as refused:
        answer(post, action, sent["lin"], "lin")
    assert refused.value.code == "not_leading"
    answer(post, actions.accept, sent["lin"], "lin")
    with pytest.raises(DispatchRefusedError):
        answer(post, action, sent["zhou"], "zhou")
    assert post.of(incident).state == State.ACCEPTED


@pytest.mark.parametrize("action", [actions.accept, actions.decline, actions.arrive, actions.resolve])
def test_somebody_elses_dispatch_is_not_there(post, action) -> None:
    sent = send(post, post.incident(), "lin")
    for key, name in ((sent["lin"], "zhou"), ("nothing", "lin")):
        with pytest.raises(DispatchNotFoundError) as lost:
            answer(post, action, key, name)
        assert lost.value.dispatch_id == key


@pytest.mark.parametrize(
    "step",
    [Step(State.RESOLVED), Step(State.FALSE_ALARM, reason=FalseAlarmReason.SENSOR_FAULT)],
    ids=["resolved", "false_alarm"],
)
def test_end_of_the_incident_calls_everybody_off(post, step: Step) -> None:
    incident = post.incident()
    sent = send(post, incident, "lin", "zhou")
    answer(post, actions.accept, sent["lin"], "lin")
    answer(post, actions.arrive, sent["lin"], "lin", 2)
    with post.database.write() as session:
        take_step(session, incident, step, OPERATOR, later(5))
    assert set(states(post, incident).values()) == {DispatchState.CANCELLED}
    assert sorted(told(post)[-2:]) == [("lin", "cancelled"), ("zhou", "cancelled")]
    with pytest.raises(DispatchRefusedError) as refused:
        answer(post, actions.accept, sent["zhou"], "zhou", 6)
    assert refused.value.code == "not_offered"


def test_phone_notes_once_when_it_shows_its_offers(post) -> None:
    sent = send(post, post.incident(), "lin", "zhou")
    send(post, post.incident(), "lin")
    with post.database.write() as session:
        assert actions.mark_seen(session, "lin", later(3)) == 2
        assert actions.mark_seen(session, "lin", later(9)) == 0
    assert post.dispatch(sent["lin"]).seen_at == later(3)
    assert post.dispatch(sent["zhou"]).seen_at is None


PRESSES = st.lists(
    st.tuples(
        st.sampled_from(["accept", "decline", "arrive", "resolve", "send"]),
        st.sampled_from(["lin", "zhou", "he"]),
    ),
    max_size=25,
)


@given(PRESSES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_pressed_there_is_never_more_than_one_lead(post, presses: list[tuple[str, str]]) -> None:
    incident = post.incident()
    keys = send(post, incident, "lin", "zhou", "he")
    with post.database.write() as session:
        for number, (what, name) in enumerate(presses):
            try:
                if what == "send":
                    actions.send(session, incident, [name], OPERATOR, later(number))
                else:
                    getattr(actions, what)(session, keys[name], name, later(number))
            except (DispatchRefusedError, StepRefusedError):
                continue
            session.flush()
            rows = session.scalars(select(Dispatch).where(Dispatch.incident == incident)).all()
            leading = {DispatchState.ACCEPTED, DispatchState.ARRIVED, DispatchState.RESOLVED}
            assert sum(row.state in leading for row in rows) <= 1
            assert all((row.lead_of == incident) == (row.state in leading) for row in rows)
            state = session.get_one(Incident, incident).state
            if state == State.DISPATCHED:
                assert not any(row.state in leading for row in rows)
                assert not any(row.state == DispatchState.TAKEN for row in rows)
            if state in {State.ACCEPTED, State.ARRIVED}:
                assert sum(row.state in leading for row in rows) == 1
            if state == State.RESOLVED:
                assert not any(DispatchState(row.state).is_open for row in rows)


def test_who_leads_sets_out_arrives_and_may_still_give_it_back(post) -> None:
    incident = post.incident()
    sent = send(post, incident, "lin", "zhou")
    with pytest.raises(DispatchRefusedError):
        answer(post, actions.depart, sent["lin"], "lin")
    answer(post, actions.accept, sent["lin"], "lin")
    answer(post, actions.depart, sent["lin"], "lin")
    answer(post, actions.depart, sent["lin"], "lin")
    assert post.of(incident).state == State.EN_ROUTE
    with pytest.raises(DispatchRefusedError):
        answer(post, actions.depart, sent["zhou"], "zhou")
    answer(post, actions.decline, sent["lin"], "lin")
    assert post.of(incident).state == State.DISPATCHED
    answer(post, actions.accept, sent["zhou"], "zhou")
    answer(post, actions.depart, sent["zhou"], "zhou")
    answer(post, actions.arrive, sent["zhou"], "zhou")
    assert post.of(incident).state == State.ARRIVED


def test_who_was_there_can_be_asked_again_when_it_is_reopened(post) -> None:
    incident = post.incident()
    sent = send(post, incident, "lin")
    for act in (actions.accept, actions.arrive, actions.resolve):
        answer(post, act, sent["lin"], "lin")
    with post.database.write() as session:
        step = Step(State.REOPENED, reason=ReopenReason.NOT_DONE)
        take_step(session, incident, step, OPERATOR, START)
    again = send(post, incident, "lin", "zhou", second=9)
    assert again.keys() == {"lin", "zhou"}
    # Nobody leads it from the first time.
    answer(post, actions.accept, again["zhou"], "zhou")
    assert post.dispatch(again["zhou"]).lead_of == incident
