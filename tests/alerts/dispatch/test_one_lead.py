"""There is one lead, whoever presses what and however many at once."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from post import Post
from sqlalchemy import select
from timeline import OPERATOR, START

from alerts.dispatch import actions, needing, sending
from alerts.dispatch.actions import DispatchRefusedError
from alerts.dispatch.models import UNDER_WAY, Dispatch, DispatchState
from alerts.incidents.actions import take_step
from alerts.incidents.lifecycle import FalseAlarmReason, State, Step, StepRefusedError
from alerts.incidents.models import Incident, Transition
from alerts.notify.models import Notification, NotificationState, Purpose

EIGHT = tuple(f"p-{number}" for number in range(8))


def test_eight_who_accept_at_the_same_moment_make_one_lead(each_post: Post) -> None:
    for name in EIGHT:
        each_post.responder(name)
    for _ in range(3):
        incident = each_post.incident()
        with each_post.database.write() as session:
            keys = {row.responder: row.id for row in actions.send(session, incident, EIGHT, OPERATOR, START)}
        start = threading.Barrier(len(EIGHT))

        def press(name: str, keys=keys, start=start) -> DispatchState:
            start.wait(timeout=30)
            with each_post.database.write() as session:
                return actions.accept(session, keys[name], name, START).state

        with ThreadPoolExecutor(len(EIGHT)) as pool:
            pressed = [pool.submit(press, name) for name in EIGHT]
            got = sorted(future.result(timeout=120) for future in pressed)
        assert got == [DispatchState.ACCEPTED] + [DispatchState.TAKEN] * 7
        with each_post.database.read() as session:
            assert len(session.scalars(select(Dispatch.id).where(Dispatch.lead_of == incident)).all()) == 1
            steps = session.scalars(select(Transition.to_state).where(Transition.incident == incident))
            assert sorted(steps) == [State.ACCEPTED, State.DISPATCHED]
            # Each of the seven was told that it is taken, and no offer stands any more.
            asked = select(Notification).where(Notification.incident == incident)
            letters = session.scalars(asked).all()
            assert sum(one.purpose == Purpose.TAKEN for one in letters) == 7
            open_offers = [
                one
                for one in letters
                if one.purpose == Purpose.OFFER and one.state == NotificationState.PENDING
            ]
            assert open_offers == []


WHAT = ("accept", "decline", "assist", "depart", "arrive", "resolve", "need_help", "all_right", "hand_over")
PRESSES = st.lists(
    st.tuples(
        st.sampled_from([*WHAT, *WHAT, "send", "false_alarm", "resolve_by_operator"]),
        st.sampled_from(["lin", "zhou", "he", "qian"]),
        st.sampled_from(["lin", "zhou", "he", "qian"]),
    ),
    max_size=30,
)


@given(PRESSES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_pressed_one_leads_and_every_step_has_somebody_who_took_it(
    post: Post, presses: list[tuple[str, str, str]]
) -> None:
    incident = post.incident()
    with post.database.write() as session:
        sent = actions.send(session, incident, ["lin", "zhou", "he", "qian"], OPERATOR, START)
        keys = {row.responder: row.id for row in sent}
        for number, (what, name, other) in enumerate(presses):
            at = START + dt.timedelta(seconds=number)
            try:
                with session.begin_nested():
                    _press(session, incident, keys, what, name, other, at)
            except (DispatchRefusedError, StepRefusedError):
                pass
            _holds(session, incident)


def _press(session, incident: str, keys, what: str, name: str, other: str, at: dt.datetime) -> None:
    if what == "send":
        actions.send(session, incident, [name], OPERATOR, at)
    elif what == "false_alarm":
        step = Step(State.FALSE_ALARM, reason=FalseAlarmReason.ANIMAL)
        take_step(session, incident, step, OPERATOR, at)
    elif what == "resolve_by_operator":
        take_step(session, incident, Step(State.RESOLVED), OPERATOR, at)
    elif what == "hand_over":
        actions.hand_over(session, keys[name], name, other, at)
    else:
        act = getattr(actions, what, None) or getattr(needing, what)
        act(session, keys[name], name, at)


def _holds(session, incident: str) -> None:
    session.flush()
    rows = sending.dispatches_of(session, incident)
    leads = [row for row in rows if row.lead_of is not None]
    row = session.get_one(Incident, incident)
    state = State(row.state)
    going = [one for one in rows if one.state in UNDER_WAY]
    assert len(leads) <= 1
    assert all(one.state in {*UNDER_WAY, DispatchState.RESOLVED} for one in leads)
    # Whoever goes has a lead among them.
    assert not going or leads
    if state in {State.ACCEPTED, State.EN_ROUTE}:
        assert leads
    if state is State.DISPATCHED:
        assert not leads
        assert not any(one.state == DispatchState.TAKEN for one in rows)
    if state in {State.RESOLVED, State.FALSE_ALARM}:
        assert not going
        assert row.due_at is None or state is State.RESOLVED
        assert all(one.due_at is None and one.alone_due_at is None for one in rows)
    path = session.scalars(
        select(Transition).where(Transition.incident == incident).order_by(Transition.version)
    ).all()
    assert all(step.actor and step.role for step in path)
    assert [step.at for step in path] == sorted(step.at for step in path)
    ends = [step for step in path if not State(step.to_state).is_open]
    assert len(ends) <= 1
