"""Which channel comes next: properties of the plan alone, and of an engine with random outcomes."""

import asyncio
import datetime as dt
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reaching import CHAT, PUSH, Reach
from sqlalchemy import update
from timeline import START

from alerts.notify import plan
from alerts.notify.channels.channel import Address, Letter, Outcome, Result
from alerts.notify.models import AttemptState, ChannelKind, Notification, NotificationState, Purpose
from alerts.notify.plan import Again, End, Standing, Step, Tried, Try, Wait, usual, walk
from storage import Database

SECOND = dt.timedelta(seconds=1)
kinds = st.sampled_from(ChannelKind)
moments = st.integers(-4000, 4000).map(lambda seconds: START + seconds * SECOND)


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    return [
        Step(f"c{number}", draw(kinds), draw(st.integers(0, 3600)), draw(st.none() | moments))
        for number in range(draw(st.integers(0, 5)))
    ]


tries = st.lists(
    st.builds(
        Tried,
        st.integers(0, 5),
        st.integers(0, 3),
        kinds,
        st.sampled_from(AttemptState),
        moments,
        st.none() | st.sampled_from(["gone", "refused", "lost", "timeout"]),
    ),
    max_size=8,
)
standings = st.builds(
    Standing,
    st.sampled_from(Purpose),
    st.integers(1, 4),
    moments,
    st.none() | moments,
    st.integers(0, 5),
    st.integers(0, 7),
)


@given(standings, steps(), tries, st.booleans())
def test_a_plan_always_gets_on(standing: Standing, rule: list[Step], tried: list[Tried], due: bool) -> None:
    move = walk(standing, rule, tried, START, due=due)
    match move:
        case Try(number):
            step = rule[number]
            assert step.usable_at is not None
            assert step.usable_at <= START
            mine = [one for one in tried if one.step == number]
            # Nobody gets again what they have, or may have where a second one harms.
            assert not any(one.holds for one in mine)
            assert not any(
                one.state is AttemptState.UNCERTAIN and one.kind not in plan.LETS_KNOW_TWICE for one in mine
            )
        case Wait(until):
            assert until > START
            # However clocks are set back, nothing waits longer than it was meant to.
            assert until <= START + dt.timedelta(seconds=3600)
        case Again(number, until):
            assert number == standing.round + 1
            assert until > START
        case End(state):
            assert state is not NotificationState.PENDING
            if state is NotificationState.UNREACHED:
                assert not any(one.worked for one in tried)


@given(standings, steps(), tries)
def test_what_has_come_is_waited_for_no_longer(
    standing: Standing, rule: list[Step], tried: list[Tried]
) -> None:
    move = walk(standing, rule, tried, START, due=True)
    under_way = any(one.state is AttemptState.SENDING for one in tried)
    assert not isinstance(move, Wait) or under_way


@given(st.lists(kinds, max_size=8))
def test_the_usual_rule_has_everybody_by_half_a_minute_and_the_telephone_last(
    some: list[ChannelKind],
) -> None:
    named = [(f"c{number}", kind) for number, kind in enumerate(some)]
    rule = usual(named)
    assert sorted(contact for contact, _ in rule) == sorted(contact for contact, _ in named)
    kind_of = dict(named)
    reached = 0.0
    for contact, after in rule:
        reached += after
        if kind_of[contact] is not ChannelKind.TELEPHONE:
            assert reached <= 30
    assert [kind_of[contact] for contact, _ in rule if kind_of[contact] is ChannelKind.TELEPHONE] == [
        kind_of[contact] for contact, _ in rule[len(rule) - some.count(ChannelKind.TELEPHONE) :]
    ]


@pytest.mark.parametrize("number", [1, 2])
def test_one_lost_is_asked_once_more_where_a_second_letter_takes_its_place(number: int) -> None:
    standing = Standing(Purpose.OFFER, 2, START, step=1)
    rule = [Step("c0", PUSH, 0, START), Step("c1", CHAT, 60, START)]
    lost = [Tried(0, 0, PUSH, AttemptState.UNCERTAIN, START, "lost")] * number
    assert walk(standing, rule, lost, START, due=False) == (Try(0) if number == 1 else Try(1))


# ── An engine, and whatever may happen to it ──────────────────────────────────

outcomes = st.sampled_from(
    [
        Outcome(Result.HANDED_OVER),
        Outcome(Result.HANDED_OVER),
        Outcome(Result.RECEIVED),
        Outcome(Result.FAILED, "server_error"),
        Outcome(Result.UNCERTAIN, "timeout"),
        Outcome(Result.TOO_MANY, retry_after_s=20),
    ]
)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(["qian", "sun"]), st.integers(1, 4)),
        st.tuples(st.just("turn"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("kill"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("time"), st.integers(1, 90), st.just(0)),
        st.tuples(st.just("back"), st.integers(1, 7200), st.just(0)),
        st.tuples(st.just("end"), st.integers(0, 30), st.just(0)),
    ),
    max_size=14,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=acts, came=st.lists(outcomes, min_size=1, max_size=30))
def test_whatever_happens_nothing_is_doubled_without_a_fault_and_nothing_is_forgotten(
    founded_file: Path, ring: object, acts: list[tuple[str, int | str, int]], came: list[Outcome]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ringward.db"
        shutil.copy(founded_file, path)
        database = Database.at(path)
        try:
            asyncio.run(_play(Reach(database), acts, came))
        finally:
            database.close()


async def _play(reach: Reach, acts: list[tuple[str, int | str, int]], came: list[Outcome]) -> None:
    faults: dict[tuple[str, str], int] = {}
    sent: dict[tuple[str, str], int] = {}
    asked: list[str] = []
    ended: set[str] = set()
    left = iter(came)

    def take(to: Address, letter: Letter) -> Outcome:
        assert letter.notification not in ended, "it was over"
        outcome = next(left, Outcome(Result.HANDED_OVER))
        key = (letter.notification, to.contact)
        sent[key] = sent.get(key, 0) + 1
        if outcome.result in {Result.FAILED, Result.UNCERTAIN, Result.TOO_MANY}:
            faults[key] = faults.get(key, 0) + 1
        return outcome

    for kind in (PUSH, CHAT):
        reach.channels[kind].behaviour = take
    for name in ("qian", "sun"):
        reach.contact(name, PUSH)
        reach.contact(name, CHAT)
    engines = [reach.engine("one"), reach.engine("two")]
    for what, value, severity in acts:
        if what == "ask":
            asked.append(reach.tell(str(value), severity=severity, purpose=Purpose.OFFER))
        elif what == "turn":
            await engines[int(value)].turn()
        elif what == "kill":
            engine = engines[int(value)]
            await engine.begin()
            await asyncio.gather(*engine._tasks)
            for done in engine._done:
                key = (done.notification, done.contact)
                faults[key] = faults.get(key, 0) + 1
            engines[int(value)] = reach.engine(f"after {len(sent)}")
        elif what == "time":
            reach.clock.advance(int(value))
        elif what == "back":
            reach.clock.advance(-int(value))
        elif asked:
            key = asked[int(value) % len(asked)]
            ended.add(key)
            _withdraw(reach, key)
    left = iter(())
    # Longer than a pause, a hold and the rounds of what fails: all of it is over in the end.
    for _ in range(40):
        await engines[0].turn()
        await engines[1].turn()
        reach.clock.advance(200)
    for key in asked:
        assert reach.state(key) is not NotificationState.PENDING
    for key, number in sent.items():
        assert number <= 1 + faults.get(key, 0)
    assert all(channel.most_at_once <= 1 for channel in reach.channels.values())


def _withdraw(reach: Reach, key: str) -> None:
    with reach.database.write() as session:
        session.execute(
            update(Notification)
            .where(Notification.id == key, Notification.due_at.is_not(None))
            .values(state=NotificationState.WITHDRAWN, due_at=None, ended_at=reach.clock.now())
        )
