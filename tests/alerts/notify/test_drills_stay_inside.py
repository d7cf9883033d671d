"""A drill from its first second to its letters: whoever is told, nothing of it leaves the house."""

import datetime as dt

import pytest
from reaching import CHAT, HOOK, INSIDE, PHONE, PUSH, Reach, Recording
from timeline import COMPOUND

from alerts import reactions
from alerts.drills import playing
from alerts.incidents import raising
from alerts.incidents.actor import Actor
from alerts.notify.asking import Ask, ask
from alerts.notify.channels.channel import Letter
from alerts.notify.models import ChannelKind, Notification, Purpose
from alerts.rules import Observation, Signal
from ringward.channels import build
from ringward.followups import REACTIONS

MANAGER = Actor("manager", "property_manager")
OUTSIDE = (PUSH, CHAT, HOOK)


@pytest.fixture
def manned(reach: Reach) -> Reach:
    reach.channels[ChannelKind.CONSOLE] = Recording(ChannelKind.CONSOLE)
    for name in ("qian", "wen", "fang"):
        reach.on_duty(name)
        chosen = [(reach.contact(name, kind), 0) for kind in (PUSH, CHAT, PHONE)]
        for important in (False, True):
            reach.rule(name, *chosen, important=important)
    for kind in (HOOK, CHAT, ChannelKind.CONSOLE):
        reach.contact(None, kind)
    return reach


def follow(reach: Reach) -> None:
    failed: list[str] = []
    while reactions.react(reach.database, REACTIONS, reach.clock.now, failed.append):
        pass
    assert failed == []


async def deliver(reach: Reach) -> None:
    engine = reach.engine()
    for _ in range(12):
        follow(reach)
        while await engine.turn():
            pass
        reach.clock.advance(10)


def letters(reach: Reach, kind: ChannelKind) -> list[Letter]:
    return [letter for _, letter in reach.channels[kind].sent]


async def test_a_drill_is_told_inside_the_house_and_nowhere_else(manned: Reach) -> None:
    with manned.database.write() as session:
        playing.start(session, COMPOUND, "sos", MANAGER, manned.clock.now())
    await deliver(manned)
    inside = [one for kind in manned.channels if kind in INSIDE for one in letters(manned, kind)]
    assert inside
    assert all(one.drill for one in inside)
    for kind in OUTSIDE:
        assert letters(manned, kind) == []
    with manned.database.read() as session:
        assert all(row.drill for row in session.query(Notification))


async def test_what_is_real_goes_out_while_a_drill_runs(manned: Reach) -> None:
    now = manned.clock.now()
    seen = Observation(
        id="o-1", type="alarm.sos", at=now, received_at=now, device="sos-1", zone="square", ring="common"
    )
    signal = Signal(
        "R-C08", "person.needs_help", 1, "R-C08:sos-1", dt.timedelta(minutes=5), seen, (), "sos", {}
    )
    with manned.database.write() as session:
        playing.start(session, COMPOUND, "sos", MANAGER, now, zone="square")
        raising.apply_all(session, COMPOUND, [signal], now)
    await deliver(manned)
    assert letters(manned, PUSH)
    assert not any(one.drill for kind in OUTSIDE for one in letters(manned, kind))


async def test_a_letter_that_is_no_drill_takes_every_way_that_was_chosen(manned: Reach) -> None:
    """The same people, ways and rules: so the silence above is the drill's doing."""
    asked = Ask(COMPOUND, "k", Purpose.INCIDENT, severity=1, responder="qian", important=True)
    with manned.database.write() as session:
        ask(session, [asked], manned.clock.now())
    await deliver(manned)
    assert letters(manned, PUSH)
    assert letters(manned, CHAT)


def test_no_channel_that_goes_through_somebody_elses_house_is_for_drills() -> None:
    known = build.__globals__
    classes = {
        one.kind: one.stays_inside
        for one in known.values()
        if isinstance(one, type) and hasattr(one, "stays_inside") and hasattr(one, "kind")
    }
    assert {kind for kind, inside in classes.items() if not inside} >= {
        ChannelKind.WEB_PUSH,
        ChannelKind.APPRISE,
        ChannelKind.WEBHOOK,
    }
    assert not {kind for kind, inside in classes.items() if inside} & set(OUTSIDE)
