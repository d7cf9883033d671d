"""Which readings of plates a search means: the plate itself, and what cameras may have made of it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from recognition.models import DecisionRow
from registry.models import Vehicle
from registry.plates import is_well_formed, lookalikes, normalise, part_pattern

READINGS_MAX: Final = 200
"""Of a part that more plates hold than this only so many are looked at: say more of the plate."""


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings that were seen or are registered, and those among them that only look alike.

    `vehicles` are registered vehicles of theirs: plate → id. `cut`: there were more.
    """

    whole: str | None
    plates: tuple[str, ...]
    near: frozenset[str]
    vehicles: Mapping[str, str]
    cut: bool = False


def readings_of(
    session: Session, compound: str, typed: str, start: dt.datetime, end: dt.datetime
) -> Readings:
    """What a whole plate or a part of one may have been read as, from one moment to another."""
    plate = normalise(typed) or ""
    if is_well_formed(plate):
        wanted = list(lookalikes(plate))
        seen = session.scalars(
            select(DecisionRow.plate)
            .where(
                DecisionRow.compound == compound,
                DecisionRow.plate.in_(wanted),
                DecisionRow.at >= start,
                DecisionRow.at < end,
            )
            .distinct()
        )
        found = sorted({one for one in seen if one is not None} - {plate})
        return _readings(session, compound, plate, [plate, *found], near=found)
    pattern = part_pattern(typed)
    if pattern is None:
        return Readings(None, (), frozenset(), {})
    fitting = [one for one in _seen(session, compound) if pattern.search(one)]
    exact = "".join(plate.split())
    # Those that hold it as it was typed stand in front of those that may.
    fitting.sort(key=lambda one: (exact not in one, one))
    near = [one for one in fitting[:READINGS_MAX] if exact not in one]
    return _readings(session, compound, None, fitting, near=near)


def _readings(
    session: Session, compound: str, whole: str | None, plates: list[str], near: list[str]
) -> Readings:
    kept = tuple(plates[:READINGS_MAX])
    rows = session.execute(
        select(Vehicle.plate, Vehicle.id).where(Vehicle.compound == compound, Vehicle.plate.in_(kept))
    )
    vehicles = {row.plate: row.id for row in rows}
    return Readings(whole, kept, frozenset(near), vehicles, len(plates) > READINGS_MAX)


def _seen(session: Session, compound: str) -> list[str]:
    """Every plate that was read and is kept, by hops along the index: a step a plate, not a reading."""
    plate, own = DecisionRow.plate, DecisionRow.compound == compound
    first = select(plate.label("plate")).where(own, plate.is_not(None)).order_by(plate).limit(1)
    hops = select(first.subquery().c.plate).cte("hops", recursive=True)
    following = (
        select(plate)
        .where(own, plate.is_not(None), plate > hops.c.plate)
        .order_by(plate)
        .limit(1)
        .correlate(hops)
        .scalar_subquery()
    )
    hops = hops.union_all(select(following).where(hops.c.plate.is_not(None)))
    return [one for one in session.scalars(select(hops.c.plate)) if one is not None]
