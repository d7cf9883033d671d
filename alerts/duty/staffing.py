"""Teams and those who work in them: made, changed, taken off duty."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.marks import hold, mark
from alerts.duty.models import Responder, Skill, Team, TeamKind
from alerts.incidents.actor import Actor
from registry.errors import MissingError, RefusedError
from registry.models import Zone
from storage import new_id

DAY_MINUTES = 24 * 60


def create_team(
    session: Session,
    compound: str,
    name: str,
    kind: TeamKind,
    zones: Collection[str],
    by: Actor,
    at: dt.datetime,
) -> Team:
    """Raises `RefusedError`: name_missing, roster_zone_unknown."""
    row = Team(
        id=new_id(), compound=compound, name=_named(name), kind=kind, zones=_zones(session, compound, zones)
    )
    session.add(row)
    session.flush()
    mark(session, compound, by, at, "team.created", f"team:{row.id}", str(kind))
    return row


def change_team(
    session: Session, compound: str, team: str, given: Mapping[str, Any], by: Actor, at: dt.datetime
) -> Team:
    """Changes `name` and `zones` where they are given; a team stays of its kind. Raises as `create_team`."""
    row = _team(session, compound, team)
    if "name" in given:
        row.name = _named(given["name"])
    if "zones" in given:
        row.zones = _zones(session, compound, given["zones"])
    session.flush()
    mark(session, compound, by, at, "team.changed", f"team:{row.id}", ",".join(sorted(given)))
    return row


def create_responder(
    session: Session, compound: str, team: str, given: Mapping[str, Any], by: Actor, at: dt.datetime
) -> Responder:
    """`given`: `name`, and what `change_responder` takes. Raises as it does."""
    row = Responder(id=new_id(), team=_team(session, compound, team).id, active=True)
    row.skills, row.capacity, row.leads = [], 1, False
    _write(session, compound, row, {"name": "", **given})
    session.add(row)
    session.flush()
    mark(session, compound, by, at, "responder.created", f"responder:{row.id}")
    return row


def change_responder(
    session: Session, compound: str, responder: str, given: Mapping[str, Any], by: Actor, at: dt.datetime
) -> Responder:
    """Changes what is given: name, team, post, active, leads, skills, capacity, hours_most, quiet_from,
    quiet_to, language. Who is not active has no more duty: the next look at rosters leaves their places
    empty.

    Raises `MissingError` (responder, team); `RefusedError`: name_missing, roster_zone_unknown,
    skill_unknown, quiet_hours (both ends or none).
    """
    hold(session, compound)
    row = session.scalars(
        select(Responder)
        .join(Team, Team.id == Responder.team)
        .where(Responder.id == responder, Team.compound == compound)
    ).one_or_none()
    if row is None:
        raise MissingError("responder")
    _write(session, compound, row, given)
    session.flush()
    mark(session, compound, by, at, "responder.changed", f"responder:{row.id}", ",".join(sorted(given)))
    return row


def _write(session: Session, compound: str, row: Responder, given: Mapping[str, Any]) -> None:
    if "name" in given:
        row.name = _named(given["name"])
    if "team" in given:
        row.team = _team(session, compound, given["team"]).id
    if given.get("post") is not None:
        _zones(session, compound, [given["post"]])
    if set(given.get("skills", ())) - set(Skill):
        raise RefusedError("skill_unknown")
    for field in (
        "post",
        "active",
        "leads",
        "skills",
        "capacity",
        "hours_most",
        "quiet_from",
        "quiet_to",
        "language",
    ):
        if field in given:
            value = given[field]
            setattr(row, field, sorted({str(one) for one in value}) if field == "skills" else value)
    quiet = (row.quiet_from, row.quiet_to)
    if (quiet[0] is None) != (quiet[1] is None) or any(
        one is not None and not 0 <= one < DAY_MINUTES for one in quiet
    ):
        raise RefusedError("quiet_hours")


def _team(session: Session, compound: str, team: str) -> Team:
    row = session.get(Team, team)
    if row is None or row.compound != compound:
        raise MissingError("team")
    return row


def _named(name: str) -> str:
    if not name.strip():
        raise RefusedError("name_missing")
    return name.strip()[:64]


def _zones(session: Session, compound: str, zones: Collection[str]) -> list[str]:
    known = set(session.scalars(select(Zone.id).where(Zone.compound == compound, Zone.id.in_(set(zones)))))
    if set(zones) - known:
        raise RefusedError("roster_zone_unknown", slot="")
    return sorted(known)
