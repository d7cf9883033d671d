"""Who is on duty at the demo compound, whenever it is started: a community's teams and who is in them."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Shift, Skill, Team, TeamKind
from ringward.demo import handoff, names, plan
from ringward.demo.plan import COMPOUND, PREFIX
from storage import Base


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of a team: `post` is the zone they stand at, None for those who roam.

    `here`: on duty whenever the demo is started; others come by their roster.
    """

    id: str
    post: str | None = None
    leads: bool = False
    skills: tuple[Skill, ...] = ()
    here: bool = True


TEAMS: Final[dict[str, tuple[str, TeamKind, tuple[Member, ...]]]] = {
    f"{PREFIX}-team-{short}": (name, kind, members)
    for short, name, kind, members in (
        (
            "control",
            "监控室",
            TeamKind.OPERATOR,
            (
                Member(f"{PREFIX}-operator-1"),
                Member(f"{PREFIX}-operator-2"),
                Member(f"{PREFIX}-operator-3", leads=True),
                Member(f"{PREFIX}-operator-4", here=False),
            ),
        ),
        (
            "guard",
            "门岗",
            TeamKind.GUARD,
            (
                Member(f"{PREFIX}-guard-1", plan.NORTH_GATE, leads=True),
                Member(f"{PREFIX}-guard-2", plan.EAST_GATE),
                Member(f"{PREFIX}-guard-3", plan.SOUTH_GATE),
                *(
                    Member(f"{PREFIX}-guard-{number}", gate, here=False)
                    for number, gate in enumerate((plan.NORTH_GATE, plan.EAST_GATE, plan.SOUTH_GATE) * 2, 4)
                ),
            ),
        ),
        (
            "police",
            "义警",
            TeamKind.VOLUNTEER_POLICE,
            (
                Member(f"{PREFIX}-police-1", plan.SQUARE, leads=True),
                Member(f"{PREFIX}-police-2", plan.BIKE_SHED),
                Member(f"{PREFIX}-police-3", plan.SOUTH_GATE),
            ),
        ),
        (
            "rain",
            "及时雨应急队",
            TeamKind.EMERGENCY,
            (
                Member(f"{PREFIX}-rain-1", plan.SQUARE, leads=True, skills=(Skill.FIRST_AID, Skill.FIRE)),
                Member(f"{PREFIX}-rain-2", skills=(Skill.LIFT_RESCUE,)),
            ),
        ),
        (
            "armband",
            "红袖标",
            TeamKind.PATROL,
            (Member(f"{PREFIX}-armband-1", leads=True), Member(f"{PREFIX}-armband-2")),
        ),
        (
            "mediation",
            "调解队",
            TeamKind.MEDIATION,
            (Member(f"{PREFIX}-mediator-1", leads=True, skills=(Skill.MEDIATION,)),),
        ),
        (
            "steward",
            "青华管家",
            TeamKind.STEWARD,
            (Member(f"{PREFIX}-steward-1", leads=True, skills=(Skill.ELDER_CARE,)),),
        ),
        (
            "property",
            "物业",
            TeamKind.PROPERTY,
            (
                Member(f"{PREFIX}-property-1", leads=True),
                Member(f"{PREFIX}-property-2", skills=(Skill.TECHNICAL,)),
            ),
        ),
        ("grid", "网格员", TeamKind.GRID, (Member(f"{PREFIX}-grid-1", leads=True),)),
        ("police-room", "社区民警", TeamKind.POLICE, (Member(f"{PREFIX}-officer-1", leads=True),)),
        ("community", "社区值班", TeamKind.COMMUNITY, (Member(f"{PREFIX}-community-1", leads=True),)),
        ("street", "街道值班", TeamKind.STREET, (Member(f"{PREFIX}-street-1", leads=True),)),
    )
}


def add(session: Session, now: dt.datetime, rng: random.Random) -> None:
    """Teams and people that are not there yet, on duty from midnight until tomorrow's hand-over."""
    teams = set(session.scalars(select(Team.id).where(Team.compound == COMPOUND)))
    people = set(session.scalars(select(Responder.id)))
    missing = [
        (team, member)
        for team, (_, _, members) in TEAMS.items()
        for member in members
        if member.id not in people
    ]
    _insert(
        session,
        Team,
        [
            {"id": team, "compound": COMPOUND, "name": name, "kind": kind, "zones": []}
            for team, (name, kind, _) in TEAMS.items()
            if team not in teams
        ],
    )
    _insert(
        session,
        Responder,
        [
            {
                "id": member.id,
                "team": team,
                "name": names.surname(rng) + names.given_name(rng),
                "post": member.post,
                "active": True,
                "leads": member.leads,
                "skills": [str(skill) for skill in member.skills],
            }
            for team, member in missing
        ],
    )
    _insert(
        session,
        Shift,
        [
            {
                "id": f"{member.id}-shift",
                "responder": member.id,
                "starts_at": handoff.today(now),
                "ends_at": _until(member.post, team, now),
            }
            for team, member in missing
            if member.here
        ],
    )


def renew(session: Session, now: dt.datetime, rng: random.Random) -> None:
    """Moves duties that have ended to today, leaves running ones alone, adds who has come since."""
    responders = select(Responder.id).join(Team, Team.id == Responder.team).where(Team.compound == COMPOUND)
    ended = session.scalars(
        select(Shift.id).where(
            Shift.responder.in_(responders), Shift.id.like(f"{PREFIX}-%-shift"), Shift.ends_at <= now
        )
    ).all()
    posts = {f"{member.id}-shift": (team, member) for team, (_, _, its) in TEAMS.items() for member in its}
    for shift in ended:
        team, member = posts[shift]
        session.execute(
            update(Shift)
            .where(Shift.id == shift)
            .values(starts_at=handoff.today(now), ends_at=_until(member.post, team, now))
        )
    add(session, now, rng)


def _until(post: str | None, team: str, now: dt.datetime) -> dt.datetime:
    """The guard at the south gate goes home at midnight: the one gap that a week of the demo shows."""
    if post == plan.SOUTH_GATE and TEAMS[team][1] is TeamKind.GUARD:
        return handoff.midnight(now)
    return handoff.morning(now)


def _insert(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(insert(table), rows)
