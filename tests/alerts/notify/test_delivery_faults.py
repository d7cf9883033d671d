"""What goes wrong: hung, gone, too many, broken, killed, withdrawn, set back."""

import asyncio
import datetime as dt

import pytest
from reaching import CHAT, PHONE, PUSH, TAKEN, PlainWords, Reach, hang
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from alerts.notify.asking import answered, withdraw
from alerts.notify.channels.channel import Address, Letter, Outcome, Result
from alerts.notify.letters import Told
from alerts.notify.models import AttemptState, NotificationAttempt, NotificationState, Purpose
from alerts.notify.receipts import received

HALF_A_MINUTE = 31


async def test_one_that_hangs_keeps_no_other_waiting(reach: Reach) -> None:
    reach.rule("qian", (reach.contact("qian", PUSH), 0))
    slow = [reach.contact(None, PUSH) for _ in range(40)]
    reach.channels[PUSH].behaviour = lambda to, letter: hang(to, letter) if to.contact in slow else TAKEN
    for contact in slow:
        reach.tell(None, channel=contact)
    reach.clock.advance(1)
    key = reach.tell()
    engine = reach.engine(patience_s=0.05, deadline_s=0.3)

    # All fast places are taken by those that hang; they make room long before their deadline.
    await engine.begin()
    assert reach.sent(PUSH).count(key) == 0
    while not reach.sent(PUSH).count(key):
        await engine.wait(1.0)
        await engine.begin()
    assert not any(one.settled_at for one in reach.attempts(key))
    await engine.turn()
    assert reach.state(key) is NotificationState.TOLD
    assert reach.of(slow[0]).error == "timeout"


async def test_one_that_hung_may_have_it_and_is_asked_again_only_where_that_harms_nobody(
    reach: Reach,
) -> None:
    push, chat = reach.contact("qian", PUSH), reach.contact("sun", CHAT)
    for kind in (PUSH, CHAT):
        reach.channels[kind].behaviour = hang
    pushed, sent = reach.tell("qian"), reach.tell("sun")
    engine = reach.engine(patience_s=0.01, deadline_s=0.02)
    await engine.turn()
    assert [one.state for one in (*reach.attempts(pushed), *reach.attempts(sent))] == ["uncertain"] * 2

    for kind in (PUSH, CHAT):
        reach.channels[kind].behaviour = TAKEN
    reach.clock.advance(5)
    await engine.turn()
    assert reach.state(pushed) is NotificationState.TOLD
    assert (len(reach.sent(PUSH)), len(reach.sent(CHAT))) == (2, 1)
    assert reach.state(sent) is NotificationState.UNREACHED
    assert (reach.of(push).failures, reach.of(chat).failures) == (0, 1)


async def test_a_subscription_that_is_gone_is_disabled_and_its_owner_hears_it_otherwise(reach: Reach) -> None:
    push, chat = reach.contact("qian", PUSH), reach.contact("qian", CHAT)
    reach.channels[PUSH].behaviour = Outcome(Result.GONE)
    key = reach.tell()
    engine = reach.engine()
    await engine.turn()

    assert reach.sent(PUSH) == [key]
    contact = reach.of(push)
    assert (contact.enabled, contact.dead_since) == (False, reach.clock.now())
    (told,) = reach.notifications(Purpose.CHANNEL)
    assert (told.responder, told.arguments["channel"], told.arguments["error"]) == (
        "qian",
        "web_push",
        "gone",
    )
    assert reach.sent(CHAT) == [key, told.id]
    assert reach.of(chat).enabled


async def test_whoever_wants_a_pause_gets_it(reach: Reach) -> None:
    push = reach.contact("qian", PUSH)
    reach.channels[PUSH].behaviour = Outcome(Result.TOO_MANY, retry_after_s=120)
    key = reach.tell(severity=2)
    engine = reach.engine()
    await engine.turn()
    reach.channels[PUSH].behaviour = TAKEN
    reach.clock.advance(119)
    assert await engine.turn() == 0
    reach.clock.advance(1)
    assert await engine.turn() == 1
    assert reach.state(key) is NotificationState.TOLD
    assert (reach.of(push).failures, reach.of(push).dead_since) == (0, None)


async def test_a_channel_of_the_compound_that_is_dead_is_told_to_whoever_looks_after_it(reach: Reach) -> None:
    chat = reach.contact(None, CHAT)
    reach.contact("fang", PUSH)
    reach.channels[CHAT].behaviour = Outcome(Result.FAILED, "server_error")
    keys = [reach.tell(None, channel=chat, severity=4) for _ in range(6)]
    engine = reach.engine()
    await engine.turn()

    assert len(reach.sent(CHAT)) == 5
    assert reach.of(chat).dead_since == reach.clock.now()
    (told,) = reach.notifications(Purpose.CHANNEL)
    assert (told.responder, told.arguments["error"]) == ("fang", "server_error")

    # One try after a pause finds it well again, and nothing was lost.
    reach.channels[CHAT].behaviour = TAKEN
    reach.clock.advance(300)
    await engine.turn()
    reach.clock.advance(600)
    await engine.turn()
    assert reach.of(chat).dead_since is None
    assert {reach.state(key) for key in keys} == {NotificationState.TOLD}
    assert len(reach.notifications(Purpose.CHANNEL)) == 1


async def test_a_channel_that_breaks_is_one_that_failed(reach: Reach) -> None:
    reach.contact("qian", PUSH)

    def broken(_to: Address, _letter: Letter) -> Outcome:
        raise RuntimeError("https://push.example/secret")

    reach.channels[PUSH].behaviour = broken
    key = reach.tell()
    await reach.engine().turn()
    assert [one.error for one in reach.attempts(key)] == ["broken"]


async def test_two_engines_send_each_letter_once(each_reach: Reach) -> None:
    for name in ("qian", "sun", "wen", "fang"):
        each_reach.contact(name, PUSH)
        each_reach.contact(name, CHAT)
    keys = [
        each_reach.tell(name, severity=1, purpose=Purpose.OFFER)
        for name in ("qian", "sun", "wen", "fang")
        for _ in range(10)
    ]

    async def soon(_to: Address, _letter: Letter) -> Outcome:
        await asyncio.sleep(0)
        return TAKEN

    each_reach.channels[PUSH].behaviour = each_reach.channels[CHAT].behaviour = soon
    one, two = each_reach.engine("one"), each_reach.engine("two")
    for _ in range(60):
        await asyncio.gather(one.turn(), two.turn())
        if len(each_reach.sent(PUSH)) == len(keys):
            break
    each_reach.clock.advance(30)
    for _ in range(60):
        await asyncio.gather(one.turn(), two.turn())
        if len(each_reach.sent(CHAT)) == len(keys):
            break
    assert sorted(each_reach.sent(PUSH)) == sorted(each_reach.sent(CHAT)) == sorted(keys)
    assert each_reach.channels[PUSH].most_at_once == 1


async def test_what_a_killed_engine_was_at_is_asked_once_more(each_reach: Reach) -> None:
    push, chat = each_reach.contact("qian", PUSH), each_reach.contact("sun", CHAT)
    pushed, sent = each_reach.tell("qian"), each_reach.tell("sun")
    killed = each_reach.engine("killed")
    await killed.begin()
    # It is gone between the claim and the settling: nobody settles what it did.
    await asyncio.gather(*killed._tasks)

    engine = each_reach.engine("next")
    each_reach.clock.advance(29)
    assert await engine.turn() == 0
    each_reach.clock.advance(1)
    assert await engine.turn() == 1
    for _ in range(10):
        each_reach.clock.advance(60)
        await engine.turn()

    assert [letter.notification for _, letter in each_reach.channels[PUSH].sent] == [pushed, pushed]
    assert each_reach.sent(CHAT) == [sent]
    first, second = each_reach.attempts(pushed)
    assert (first.state, first.error, first.contact) == (AttemptState.UNCERTAIN, "lost", push)
    assert second.state == AttemptState.HANDED_OVER
    (lost,) = each_reach.attempts(sent)
    assert (lost.state, lost.contact) == (AttemptState.UNCERTAIN, chat)
    assert each_reach.state(pushed) is NotificationState.TOLD
    assert each_reach.state(sent) is NotificationState.UNREACHED


async def test_what_an_engine_was_at_that_is_seen_to_be_gone_is_asked_once_more_at_once(
    each_reach: Reach,
) -> None:
    each_reach.contact("qian", PUSH)
    key = each_reach.tell()
    killed = each_reach.engine("killed")
    await killed.begin()
    await asyncio.gather(*killed._tasks)
    await each_reach.engine("two", is_gone=lambda holder: holder != "killed").turn()
    assert each_reach.sent(PUSH) == [key]
    await each_reach.engine("three", is_gone=lambda holder: holder == "killed").turn()
    assert each_reach.sent(PUSH) == [key, key]
    first, second = each_reach.attempts(key)
    assert (first.state, first.error) == (AttemptState.UNCERTAIN, "lost")
    assert second.state == AttemptState.HANDED_OVER


async def test_a_database_that_goes_away_behind_the_claim_keeps_no_letter(
    each_reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    each_reach.contact("qian", PUSH)
    first, later = each_reach.tell(), each_reach.tell()
    engine = each_reach.engine()

    def away(*_: object) -> None:
        raise OperationalError("select", {}, Exception("the server closed the connection"))

    with monkeypatch.context() as broken:
        broken.setattr("alerts.notify.engine.written", away)
        for _ in range(2):
            with pytest.raises(OperationalError):
                await engine.begin()
    await engine.turn()
    assert sorted(each_reach.sent(PUSH)) == sorted([first, later])
    assert {each_reach.state(key) for key in (first, later)} == {NotificationState.TOLD}
    assert all(one.error is None for one in each_reach.attempts(first))


async def test_a_second_loss_is_not_asked_a_third_time_at_once(reach: Reach) -> None:
    first, second = reach.contact("qian", PUSH), reach.contact("qian", CHAT)
    reach.rule("qian", (first, 0), (second, 3600))
    key = reach.tell()
    for name in ("one", "two"):
        killed = reach.engine(name)
        await killed.begin()
        await asyncio.gather(*killed._tasks)
        reach.clock.advance(HALF_A_MINUTE)
    await reach.engine("three").turn()
    assert reach.sent(PUSH) == [key, key]
    assert reach.sent(CHAT) == [key]


@pytest.mark.parametrize("end", [withdraw, answered])
async def test_what_ends_between_the_claim_and_the_sending_is_not_sent(reach: Reach, end: object) -> None:
    reach.contact("qian", PUSH)
    key = reach.tell(incident="i1")

    class Meanwhile(PlainWords):
        def letter(self, told: Told, language: str) -> tuple[str, str, str | None]:
            with reach.database.write() as session:
                end(session, reach.clock.now(), incident="i1")  # type: ignore[operator]
            return super().letter(told, language)

    engine = reach.engine()
    engine._words = Meanwhile()
    await engine.turn()
    assert reach.sent(PUSH) == []
    (attempt,) = reach.attempts(key)
    assert (attempt.state, attempt.error) == (AttemptState.FAILED, "not_wanted")
    assert reach.state(key) in {NotificationState.WITHDRAWN, NotificationState.ANSWERED}
    assert reach.of(attempt.contact).failures == 0


async def test_an_answer_ends_the_rule(reach: Reach) -> None:
    reach.contact("qian", PUSH)
    reach.contact("qian", CHAT)
    reach.tell(incident="i1", purpose=Purpose.OFFER, severity=2)
    engine = reach.engine()
    await engine.turn()
    with reach.database.write() as session:
        assert answered(session, reach.clock.now(), incident="i1", responder="qian") == 1
    reach.clock.advance(60)
    assert await engine.turn() == 0
    assert reach.sent(CHAT) == []


async def test_a_phone_that_says_twice_that_it_came_says_it_once(each_reach: Reach) -> None:
    each_reach.contact("qian", PUSH)
    key = each_reach.tell()
    await each_reach.engine().turn()
    (attempt,) = each_reach.attempts(key)

    def say() -> bool:
        with each_reach.database.write() as session:
            return received(session, attempt.id, each_reach.clock.now())

    assert await asyncio.gather(*(asyncio.to_thread(say) for _ in range(4))) == [True] * 4
    assert each_reach.state(key) is NotificationState.TOLD


@pytest.mark.parametrize("back", [dt.timedelta(seconds=20), dt.timedelta(hours=3), dt.timedelta(days=400)])
async def test_a_clock_set_back_sends_nothing_twice_and_lets_nothing_wait_for_ever(
    reach: Reach, back: dt.timedelta
) -> None:
    push, chat = reach.contact("qian", PUSH), reach.contact("qian", CHAT)
    reach.rule("qian", (push, 0), (chat, 60))
    begun = reach.tell(purpose=Purpose.OFFER, severity=2)
    engine = reach.engine()
    await engine.turn()
    later = reach.tell("sun", purpose=Purpose.OFFER, severity=2)
    reach.contact("sun", PUSH)

    reach.clock.at -= back
    for _ in range(30):
        await engine.turn()
        reach.clock.advance(10)
    assert reach.sent(PUSH) == [begun, later]
    assert reach.sent(CHAT) == [begun]
    assert reach.state(begun) is reach.state(later) is NotificationState.TOLD


async def test_a_try_under_way_when_the_clock_is_set_back_is_not_taken_for_lost(reach: Reach) -> None:
    reach.contact("qian", PUSH)
    reach.tell()
    first = reach.engine("one")
    await first.begin()
    reach.clock.at -= dt.timedelta(hours=2)

    other = reach.engine("two")
    await other.turn()
    reach.clock.advance(29)
    await other.turn()
    assert len(reach.sent(PUSH)) == 1
    await first.turn()
    assert len(reach.sent(PUSH)) == 1


async def test_what_stops_in_the_middle_is_uncertain_and_comes_again(reach: Reach) -> None:
    reach.contact("qian", PUSH)
    reach.channels[PUSH].behaviour = hang
    key = reach.tell()
    engine = reach.engine()
    await engine.begin()
    await engine.stop(0.01)
    (attempt,) = reach.attempts(key)
    assert (attempt.state, attempt.error) == (AttemptState.UNCERTAIN, "stopped")

    reach.channels[PUSH].behaviour = TAKEN
    reach.clock.advance(5)
    await reach.engine("next").turn()
    assert reach.state(key) is NotificationState.TOLD


async def test_a_database_that_is_away_when_it_is_to_be_settled_costs_no_second_letter(
    reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach.contact("qian", PUSH)
    key = reach.tell()
    engine = reach.engine()
    await engine.begin()
    await asyncio.gather(*engine._tasks)
    with monkeypatch.context() as away:
        away.setattr(reach.database, "write", lambda: (_ for _ in ()).throw(ConnectionError()))
        with pytest.raises((ConnectionError, TypeError)):
            await engine.settle()
    reach.clock.advance(300)
    await engine.turn()
    assert reach.sent(PUSH) == [key]
    assert reach.state(key) is NotificationState.TOLD


async def test_one_of_the_log_stands_in_the_way_of_a_second_letter_to_the_same_address(reach: Reach) -> None:
    contact = reach.contact("qian", PHONE)
    key = reach.tell()
    await reach.engine().turn()
    with reach.database.write() as session:
        session.execute(update(NotificationAttempt).values(state=AttemptState.SENDING))
    other = reach.tell(severity=1)
    await reach.engine("two").turn()
    assert reach.sent(PHONE) == [key]
    assert reach.state(other) is NotificationState.PENDING
    assert reach.of(contact).enabled
