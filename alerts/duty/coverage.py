"""Whether enough people are on duty at every minute: pure, over duties and what is demanded."""

import datetime as dt
import enum
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.duty.models import TeamKind


class Need(enum.StrEnum):
    """What may be missing; the words go by it."""

    OPERATOR = "operator"
    GUARD = "guard"  # at an entrance
    RESPONDER = "responder"
    COMPANION = "companion"  # a volunteer is alone
    CALENDAR = "calendar"  # the year's rest days are not known, so nobody is put on duty by them


RESPONDERS: Final = frozenset(TeamKind) - {
    TeamKind.OPERATOR, TeamKind.MEDIATION, TeamKind.COMMUNITY, TeamKind.STREET, TeamKind.POLICE
}  # fmt: skip
"""Who can be sent out. Mediators come by appointment; police and offices are called, not sent."""


@dataclass(frozen=True, slots=True)
class Covering:
    """Somebody who is on duty for a time. `post` is a zone, None where they roam."""

    responder: str
    kind: TeamKind
    starts_at: dt.datetime
    ends_at: dt.datetime
    on_call: bool = False
    post: str | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """So many `people` of these `kinds` at every minute; `zone`: at this post."""

    need: Need
    kinds: frozenset[TeamKind]
    people: int
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A span in which too few are on duty; `have` is the fewest there are in it."""

    need: Need
    zone: str | None
    starts_at: dt.datetime
    ends_at: dt.datetime
    have: int
    want: int


def demands(entrances: Collection[str]) -> tuple[Demand, ...]:
    """What the domain asks for: an operator, a guard at each entrance, two who can be sent."""
    return (
        Demand(Need.OPERATOR, frozenset({TeamKind.OPERATOR}), 1),
        *(Demand(Need.GUARD, frozenset({TeamKind.GUARD}), 1, zone) for zone in sorted(entrances)),
        Demand(Need.RESPONDER, RESPONDERS, 2),
    )


def coverage(
    duties: Sequence[Covering], wanted: Sequence[Demand], start: dt.datetime, end: dt.datetime
) -> tuple[Gap, ...]:
    """The gaps in [start, end), in their order; adjoining spans of one need are one gap.

    On call counts among those who can be sent, at no post and at no desk. Who holds a post that is
    demanded is not sent. A volunteer with nobody else who could go along is a gap of its own.
    """
    held = frozenset(one.zone for one in wanted if one.zone is not None)
    edges = sorted(
        {start, end}
        | {edge for duty in duties for edge in (duty.starts_at, duty.ends_at) if start < edge < end}
    )
    # Of two duties of one person the one on the spot counts.
    ordered = sorted(duties, key=lambda duty: not duty.on_call)
    found: list[Gap] = []
    for begins, ends in itertools.pairwise(edges):
        present = {
            duty.responder: duty for duty in ordered if duty.starts_at <= begins and duty.ends_at >= ends
        }.values()
        for demand in wanted:
            have = sum(_counts(duty, demand, held) for duty in present)
            if have < demand.people:
                _note(found, Gap(demand.need, demand.zone, begins, ends, have, demand.people))
        able = [duty for duty in present if duty.kind in RESPONDERS and not _posted(duty, held)]
        if len(able) == 1 and able[0].kind.volunteers and not able[0].on_call:
            _note(found, Gap(Need.COMPANION, None, begins, ends, 1, 2))
    return tuple(sorted(found, key=lambda gap: (gap.starts_at, gap.need, gap.zone or "")))


def _posted(duty: Covering, held: frozenset[str]) -> bool:
    return duty.kind is TeamKind.GUARD and duty.post in held


def _counts(duty: Covering, demand: Demand, held: frozenset[str]) -> bool:
    if duty.kind not in demand.kinds:
        return False
    if demand.need is Need.RESPONDER:
        return not _posted(duty, held)
    return not duty.on_call and (demand.zone is None or duty.post == demand.zone)


def _note(found: list[Gap], gap: Gap) -> None:
    for place, one in enumerate(found):
        if one.need is gap.need and one.zone == gap.zone and one.ends_at == gap.starts_at:
            found[place] = Gap(
                gap.need, gap.zone, one.starts_at, gap.ends_at, min(one.have, gap.have), gap.want
            )
            return
    found.append(gap)
