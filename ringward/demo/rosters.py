"""The demo's rosters, one a team, by the patterns that communities work by; and one gap, left on purpose.

They begin tomorrow: until then those are on duty who have to be there whenever the demo is started.
"""

import datetime as dt
from dataclasses import replace
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty import changing, gaps, rostering
from alerts.duty.changing import Change
from alerts.duty.days import WORKDAYS
from alerts.duty.models import Responder, Shift
from alerts.duty.patterns import eight_x, five_two, three_shifts
from alerts.duty.roster import Rotation, Slot
from alerts.duty.rostering import Definition
from alerts.duty.rostermodels import Roster
from alerts.incidents.actor import Actor
from ringward.demo import duty, handoff, plan
from ringward.demo.plan import COMPOUND, PREFIX

MANAGER: Final = Actor(f"{PREFIX}-property-1", "property_manager")
_GATES: Final = {plan.NORTH_GATE: "北门", plan.EAST_GATE: "东门", plan.SOUTH_GATE: "南门"}
_WORDS: Final = {
    "workday": "工作日",
    "rest": "休息日",
    "office": "办公时间",
    "after_hours": "下班后",
    "rest_day": "休息日全天",
    "day": "早班",
    "evening": "中班",
    "night": "夜班",
}
"""What the roster's page calls the slots of a pattern."""


def add(session: Session, now: dt.datetime) -> None:
    """Rosters of teams that have none; and nobody at the south gate from midnight until eight."""
    have = set(session.scalars(select(Roster.team).where(Roster.compound == COMPOUND)))
    begins = handoff.tomorrow(now)
    for team, (name, _, members) in duty.TEAMS.items():
        if team not in have:
            slots = [
                replace(slot, key=_WORDS.get(slot.key, slot.key))
                for slot in _slots(team.removeprefix(f"{PREFIX}-team-"), members, begins)
            ]
            given = Definition(team, f"{name}排班", tuple(slots), begins)
            rostering.create(session, COMPOUND, given, MANAGER, now)
    _leave_a_gap(session, now)
    # The page tells of it at once, not after the first look some minutes later.
    gaps.check(session, COMPOUND, now)


def _slots(short: str, members: tuple[duty.Member, ...], begins: dt.date) -> tuple[Slot, ...]:
    people = tuple(member.id for member in members)
    together, by_turns = Rotation((people,), begins), Rotation(tuple((one,) for one in people), begins)
    match short:
        case "control":
            return three_shifts([(one,) for one in people], begins)
        case "guard":
            return tuple(
                Slot(f"{gate_name}{hours}", starts, ends, _at(members, gate, begins), ahead=ahead)
                for gate, gate_name in _GATES.items()
                # Who stood the day stands the next night, and is then free until the day after.
                for hours, starts, ends, ahead in (
                    ("白班", dt.time(8), dt.time(20), 0),
                    ("夜班", dt.time(20), dt.time(8), 2),
                )
            )
        case "police":
            return (Slot("晚间", dt.time(19), dt.time(22), together, people=2),)
        case "rain":
            return (Slot("随时待命", handoff.MORNING, handoff.MORNING, together, on_call=True),)
        case "armband":
            return five_two(together, together, hours=(dt.time(7), dt.time(9)))
        case "mediation":
            return (Slot("下午", dt.time(14), dt.time(17), together, WORKDAYS),)
        case "steward" | "grid":
            return (Slot("office", dt.time(8, 30), dt.time(17, 30), together, WORKDAYS),)
    return eight_x(together, by_turns)


def _at(members: tuple[duty.Member, ...], gate: str, begins: dt.date) -> Rotation:
    return Rotation(tuple((member.id,) for member in members if member.post == gate), begins)


def _leave_a_gap(session: Session, now: dt.datetime) -> None:
    """Whoever would stand at the south gate in the coming night has said that they cannot."""
    starts, ends = handoff.midnight(now), handoff.morning(now)
    there = session.scalars(
        select(Responder.id)
        .join(Shift, Shift.responder == Responder.id)
        .where(
            Responder.team == f"{PREFIX}-team-guard",
            Responder.post == plan.SOUTH_GATE,
            Shift.starts_at < ends,
            Shift.ends_at > starts,
        )
        .distinct()
        .order_by(Responder.id)
    ).all()
    for one in there:
        # Who comes in the morning is not there in the night.
        changing.make(session, COMPOUND, Change(one, None, starts, ends), MANAGER, now)
