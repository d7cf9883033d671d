"""A rehearsal in numbers: the one value that table, JSON and page are made of."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from alerts.rehearsal import Change, Comparison, Told
from alerts.rehearsal.running import Outcome
from storage import content_id

_NONE: Final[tuple[Told, ...]] = ()


@dataclass(frozen=True)
class Rehearsal:
    """What was rehearsed, where, of which time, and what came of it."""

    compound: str
    start: dt.datetime
    end: dt.datetime
    draft: str
    # None where nothing was put beside the draft.
    against: str | None
    comparison: Comparison
    outcomes: tuple[Outcome, ...]
    observations: int
    seconds: float


def identity(told: Told) -> str:
    """A short name of an incident that tells nothing of whom it is about: keys may hold plates."""
    return content_id(told.key, told.happened_at.isoformat())[:8]


def as_json(rehearsal: Rehearsal) -> dict[str, Any]:
    """The whole rehearsal as one object; times are UTC, places are ids, nobody is named."""
    found = rehearsal.comparison
    return {
        "compound": rehearsal.compound,
        "from": _moment(rehearsal.start),
        "to": _moment(rehearsal.end),
        "rules": rehearsal.draft,
        "against": rehearsal.against,
        "observations": rehearsal.observations,
        "seconds": round(rehearsal.seconds, 3),
        "counts": asdict(found.whole),
        "by_rule": {name: asdict(count) for name, count in found.by_rule().items()},
        "by_ring": {name: asdict(count) for name, count in found.by_ring().items()},
        "by_hour": {f"{hour:02}": asdict(count) for hour, count in found.by_hour().items()},
        "muted": {"draft": rehearsal.outcomes[0].muted, "against": _muted(rehearsal)},
        "faults": _faults(rehearsal.outcomes),
        "changes": [_change(change) for change in found.changes],
    }


def place_of(told: Told) -> str:
    """Where it is, as an id of the plan."""
    return told.lane or told.device or told.zone


def _muted(rehearsal: Rehearsal) -> int | None:
    return rehearsal.outcomes[1].muted if len(rehearsal.outcomes) > 1 else None


def _faults(outcomes: Iterable[Outcome]) -> list[Mapping[str, str]]:
    """Rules that failed; they said nothing, which is not the same as that all was well."""
    faults = {(fault.rule, fault.error) for outcome in outcomes for fault in outcome.faults}
    return [{"rule": rule, "error": error} for rule, error in sorted(faults)]


def _change(change: Change) -> dict[str, Any]:
    return {
        "change": str(change.kind),
        "later_s": change.later_s,
        "milder": change.milder,
        "draft": _told(change.draft),
        "against": _told(change.current),
    }


def _told(told: Told | None) -> dict[str, Any] | None:
    if told is None:
        return None
    return {
        "id": identity(told),
        "rule": told.rule,
        "kind": told.kind,
        "reason": told.reason,
        "ring": told.ring,
        "zone": told.zone,
        "device": told.device,
        "lane": told.lane,
        "severity": told.severity,
        "happened_at": _moment(told.happened_at),
        "raised_at": _moment(told.raised_at),
        "severity_since": _moment(told.graver_at),
        "cleared_at": None if told.cleared_at is None else _moment(told.cleared_at),
        "signals": told.signals,
    }


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
