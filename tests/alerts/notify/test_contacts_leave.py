"""Whoever leaves takes their contacts, their rules and what they were told along."""

import pytest
from reaching import PUSH, Reach
from sqlalchemy import delete, func, select

from alerts.duty.models import Responder
from alerts.notify.contacts import add, remove, set_rule
from alerts.notify.models import (
    ChannelKind,
    Contact,
    ContactStep,
    Notification,
    NotificationAttempt,
    NotificationState,
)
from registry.errors import RefusedError


async def test_a_responder_who_is_deleted_leaves_nothing_behind(each_reach: Reach) -> None:
    contact = each_reach.contact("qian", PUSH)
    each_reach.rule("qian", (contact, 0))
    each_reach.tell()
    await each_reach.engine().turn()
    with each_reach.database.write() as session:
        session.execute(delete(Responder).where(Responder.id == "qian"))
    with each_reach.database.read() as session:
        for model in (Contact, ContactStep, Notification, NotificationAttempt):
            assert session.scalar(select(func.count()).select_from(model)) == 0, model


async def test_one_who_is_erased_while_a_letter_is_under_way_disturbs_nobody(reach: Reach) -> None:
    reach.contact("qian", PUSH)
    reach.contact("sun", PUSH)
    reach.tell("qian")
    kept = reach.tell("sun")
    engine = reach.engine()
    await engine.begin()
    with reach.database.write() as session:
        session.execute(delete(Responder).where(Responder.id == "qian"))
    await engine.turn()
    assert reach.state(kept) is NotificationState.TOLD


async def test_a_contact_that_is_removed_in_the_middle_is_tried_no_more(reach: Reach) -> None:
    push = reach.contact("qian", PUSH)
    reach.rule("qian", (push, 0), (push, 60))
    key = reach.tell()
    engine = reach.engine()
    await engine.turn()
    with reach.database.write() as session:
        remove(session, session.get_one(Contact, push))
    reach.clock.advance(60)
    await engine.turn()
    assert reach.sent(PUSH) == [key]
    assert reach.state(key) is NotificationState.TOLD


def test_nobody_has_more_contacts_than_anybody_needs(reach: Reach) -> None:
    with reach.database.write() as session:
        for number in range(20):
            add(
                session,
                "willow",
                "qian",
                ChannelKind.TELEPHONE,
                "",
                f"1380000{number:04}",
                reach.clock.now(),
            )
        with pytest.raises(RefusedError, match="contacts_many"):
            add(session, "willow", "qian", ChannelKind.TELEPHONE, "", "13800009999", reach.clock.now())
        with pytest.raises(RefusedError, match="rule_steps"):
            set_rule(session, "willow", "qian", [("x", 4000)], important=False)
