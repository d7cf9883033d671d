"""How one subject went through the rings, and where nobody could have seen it on its way."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from alerts.knowing.sight import watched
from alerts.rules import Observation
from alerts.rules.paths import Impossible, gaps, of
from alerts.rules.rule import Blind
from privacy.search.finding import Hit

HITS_MAX: Final = 200
"""A way of more than so many sightings is no way that anybody reads."""
_SUBJECT: Final = "sought"
_SHOWN_AS: Final = {
    "face.identified": "face.identified",
    "plate.identified": "plate.recognised",
    "plate.unknown": "plate.recognised",
    "pass.used": "visitor.checked_in",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A step, or a time between steps: `where` is a ring, outside or unknown.

    `seen` is False between steps; `blind` are the devices that could not have seen then.
    """

    start: dt.datetime
    end: dt.datetime
    where: str
    seen: bool
    zone: str = ""
    direction: str | None = None
    passed: bool = True
    blind: tuple[Blind, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """Stretches in order of time, and what cannot be as it was seen."""

    stretches: tuple[Stretch, ...]
    impossible: tuple[Impossible, ...]


def way_of(
    session: Session,
    compound: str,
    hits: Iterable[Hit],
    start: dt.datetime,
    end: dt.datetime,
    *,
    as_of: dt.datetime,
    driving: bool = False,
) -> Way | None:
    """The way of whom all hits are of; what is uncertain or only looks alike is no step of it.

    None where there are no steps, or more than `HITS_MAX` sightings.
    """
    seen = [one for hit in hits if (one := _observed(hit, driving=driving)) is not None]
    if not seen or len(seen) > HITS_MAX:
        return None
    view = watched(session, compound, start, as_of)
    for one in seen:
        view.add(one)
    name = f"plate:{_SUBJECT}" if driving else f"token:{_SUBJECT}"
    path = of(view, (name,), start, end, as_of=as_of)
    stretches = [
        Stretch(
            step.at,
            step.until,
            str(step.after),
            seen=True,
            zone=step.zone,
            direction=step.direction,
            passed=step.passed,
        )
        for step in path.steps
    ]
    if not stretches:
        return None
    # Before the first and after the last nothing is known of where it was: what lies between counts.
    stretches += [
        Stretch(gap.start, gap.end, str(gap.stand.where), seen=False, blind=_distinct(gap.blind))
        for gap in gaps(path, view)
        if gap.start > start and gap.end < end
    ]
    return Way(tuple(sorted(stretches, key=lambda one: (one.start, not one.seen))), path.impossible)


def _observed(hit: Hit, *, driving: bool) -> Observation | None:
    kind = _SHOWN_AS.get(hit.what)
    if kind is None and hit.kind == "event" and hit.what.startswith("access."):
        kind = hit.what
    if hit.what == "pass.used" and hit.direction == "out":
        kind = "visitor.checked_out"
    if kind is None or hit.near or not hit.zone:
        return None
    return Observation(
        id=f"{hit.kind}:{hit.id}",
        type=kind,
        at=hit.at,
        received_at=hit.at,
        device=hit.device or hit.zone,
        zone=hit.zone,
        ring=hit.ring,
        direction=hit.direction,
        event_id=hit.event_id or "",
        plate=_SUBJECT if driving else None,
        token=None if driving else _SUBJECT,
    )


def _distinct(found: Iterable[Blind]) -> tuple[Blind, ...]:
    return tuple({(one.device, one.start, one.end): one for one in found}.values())
