"""Who is expected at one gate from now on: what a guard's own list of a shift holds."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from registry.passes.admission import PassDecision, PassReason, check_all
from registry.passes.models import PassState, VisitorPass

MOST: Final = 300
"""Passes of one list: more than a gate sees in a shift, less than a phone minds."""

# What a pass of the list may say at its own time: the rest is for another gate, or is nothing any more.
_STANDS: Final = frozenset({PassReason.VALID, PassReason.USED_UP})


@dataclass(frozen=True, slots=True)
class Expected:
    """A pass and whether it lets in at this gate, at its own time where that is yet to come."""

    row: VisitorPass
    decision: PassDecision
    later: bool


def expected_here(
    session: Session, compound: str, zone: str, at: dt.datetime, until: dt.datetime
) -> Sequence[Expected]:
    """Passes that let in at a zone between `at` and `until`, those that come first in front.

    Raises `MissingError("zone")`.
    """
    rows = session.scalars(
        select(VisitorPass)
        .where(
            VisitorPass.compound == compound,
            VisitorPass.state == PassState.APPROVED,
            VisitorPass.ends_at >= at,
            VisitorPass.starts_at <= until,
        )
        .order_by(VisitorPass.starts_at, VisitorPass.id)
        .limit(MOST)
    ).all()
    now = [row for row in rows if row.starts_at <= at]
    found = [
        Expected(row, decision, later=False) for row, decision in _decided(session, compound, now, zone, at)
    ]
    later = [row for row in rows if row.starts_at > at]
    # Those of one beginning are asked for together.
    for start in sorted({row.starts_at for row in later}):
        group = [row for row in later if row.starts_at == start]
        decided = _decided(session, compound, group, zone, start)
        found += [Expected(row, decision, later=True) for row, decision in decided]
    return [one for one in found if one.decision.reason in _STANDS]


def _decided(
    session: Session, compound: str, rows: Sequence[VisitorPass], zone: str, at: dt.datetime
) -> list[tuple[VisitorPass, PassDecision]]:
    decisions = check_all(session, compound, rows, zone, at) if rows else {}
    return [(row, decisions[row.id]) for row in rows]
