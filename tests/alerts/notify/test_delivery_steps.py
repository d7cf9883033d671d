"""One person's rule, step by step, on the virtual clock."""

from reaching import CHAT, PHONE, PUSH, Reach
from timeline import START

from alerts.notify.channels.channel import Outcome, Result
from alerts.notify.models import AttemptState, NotificationState, Purpose
from alerts.notify.receipts import received


async def test_without_a_rule_page_and_push_come_at_once_and_the_others_half_a_minute_later(
    each_reach: Reach,
) -> None:
    for kind in (CHAT, PUSH, PHONE):
        each_reach.contact("qian", kind)
    key = each_reach.tell(purpose=Purpose.OFFER, severity=2)
    engine = each_reach.engine()

    assert await engine.turn() == 2
    assert each_reach.sent(PHONE) == each_reach.sent(PUSH) == [key]
    each_reach.clock.advance(29)
    assert await engine.turn() == 0
    each_reach.clock.advance(1)
    assert await engine.turn() == 1
    assert each_reach.sent(CHAT) == [key]
    assert each_reach.state(key) is NotificationState.TOLD
    each_reach.clock.advance(3600)
    assert await engine.turn() == 0


async def test_a_receipt_ends_what_needs_no_answer(reach: Reach) -> None:
    reach.contact("qian", PUSH)
    reach.contact("qian", CHAT)
    key = reach.tell()
    engine = reach.engine()
    await engine.turn()
    (attempt,) = reach.attempts(key)

    with reach.database.write() as session:
        assert received(session, attempt.id, reach.clock.now())
        assert received(session, attempt.id, reach.clock.advance(5))
        assert not received(session, "0" * 32, reach.clock.now())

    reach.clock.advance(60)
    assert await engine.turn() == 0
    assert reach.sent(CHAT) == []
    assert reach.state(key) is NotificationState.TOLD
    (attempt,) = reach.attempts(key)
    assert (attempt.state, attempt.received_at) == (AttemptState.RECEIVED, START)


async def test_a_receipt_of_a_phone_that_wakes_nobody_does_not_end_what_needs_an_answer(reach: Reach) -> None:
    reach.contact("qian", PUSH)
    reach.contact("qian", CHAT)
    key = reach.tell(purpose=Purpose.OFFER, severity=2)
    engine = reach.engine()
    await engine.turn()
    with reach.database.write() as session:
        received(session, reach.attempts(key)[0].id, reach.clock.now())

    reach.clock.advance(30)
    assert await engine.turn() == 1
    assert reach.sent(CHAT) == [key]


async def test_a_channel_that_fails_lets_the_next_one_come_at_once(reach: Reach) -> None:
    first, second = reach.contact("qian", PUSH), reach.contact("qian", CHAT)
    reach.rule("qian", (first, 0), (second, 600))
    reach.channels[PUSH].behaviour = Outcome(Result.FAILED, "server_error")
    key = reach.tell()

    assert await reach.engine().turn() == 2
    assert reach.sent(CHAT) == [key]
    assert reach.state(key) is NotificationState.TOLD
    assert [one.error for one in reach.attempts(key)] == ["server_error", None]


async def test_what_is_important_goes_by_its_own_rule(reach: Reach) -> None:
    push, chat = reach.contact("qian", PUSH), reach.contact("qian", CHAT)
    reach.rule("qian", (push, 0), (chat, 300))
    reach.rule("qian", (chat, 0), (push, 5), important=True)
    reach.tell(important=True)
    engine = reach.engine()

    await engine.turn()
    assert (len(reach.sent(CHAT)), len(reach.sent(PUSH))) == (1, 0)
    reach.clock.advance(5)
    await engine.turn()
    assert (len(reach.sent(CHAT)), len(reach.sent(PUSH))) == (1, 1)


async def test_a_page_that_nobody_looks_at_has_reached_nobody(reach: Reach) -> None:
    reach.contact("qian", PHONE)
    key = reach.tell()
    engine = reach.engine()
    await engine.turn()
    reach.clock.advance(59)
    await engine.turn()
    assert reach.state(key) is NotificationState.PENDING
    reach.clock.advance(1)
    await engine.turn()
    assert reach.state(key) is NotificationState.UNREACHED

    # Whoever opens it later has been told after all.
    with reach.database.write() as session:
        received(session, reach.attempts(key)[0].id, reach.clock.now())
    assert reach.state(key) is NotificationState.TOLD


async def test_nobody_reached_for_what_is_grave_is_told_to_the_operators_on_duty(reach: Reach) -> None:
    reach.contact("qian", PUSH)
    reach.contact("wen", CHAT)
    reach.on_duty("wen")
    reach.channels[PUSH].behaviour = Outcome(Result.FAILED, "refused")
    key = reach.tell(severity=2, purpose=Purpose.OFFER, incident="i1", arguments={"zone": "hall"})
    engine = reach.engine()
    for _ in range(5):
        await engine.turn()
        reach.clock.advance(20)

    assert reach.state(key) is NotificationState.UNREACHED
    assert len(reach.sent(PUSH)) == 4
    (told,) = reach.notifications(Purpose.ESCALATION)
    assert (told.responder, told.severity, told.incident) == ("wen", 2, "i1")
    assert told.arguments == {"zone": "hall", "reason": "unreached", "count": 1}
    assert reach.sent(CHAT) == [told.id]


async def test_nobody_to_be_reached_by_is_unreached_at_once(reach: Reach) -> None:
    key = reach.tell("sun")
    await reach.engine().turn()
    assert reach.state(key) is NotificationState.UNREACHED


async def test_an_exercise_never_leaves_the_house(reach: Reach) -> None:
    reach.contact("qian", PUSH)
    reach.contact("qian", CHAT)
    reach.contact("qian", PHONE)
    reach.tell(drill=True, purpose=Purpose.OFFER, severity=1)
    engine = reach.engine()
    for _ in range(4):
        await engine.turn()
        reach.clock.advance(31)
    assert (len(reach.sent(PHONE)), reach.sent(PUSH), reach.sent(CHAT)) == (1, [], [])
    assert reach.channels[PHONE].sent[0][1].drill


async def test_a_channel_of_the_compound_is_told_once(reach: Reach) -> None:
    chat = reach.contact(None, CHAT)
    key = reach.tell(None, channel=chat)
    engine = reach.engine()
    assert await engine.turn() == 1
    assert reach.state(key) is NotificationState.TOLD


async def test_what_is_over_is_not_sent(reach: Reach) -> None:
    reach.contact("qian", PUSH)
    key = reach.tell(expires_at=reach.clock.now())
    assert await reach.engine().turn() == 0
    assert reach.state(key) is NotificationState.EXPIRED


async def test_gravest_first_then_oldest(reach: Reach) -> None:
    reach.contact("qian", PUSH)
    notice = reach.tell(severity=4)
    reach.clock.advance(1)
    warning = reach.tell(severity=3)
    reach.clock.advance(1)
    later = reach.tell(severity=3)
    critical = reach.tell(severity=1)
    await reach.engine().turn()
    assert reach.sent(PUSH) == [critical, warning, later, notice]
    assert reach.channels[PUSH].most_at_once == 1
