"""The receipt of an erasure: which places have forgotten, which have not, and what is kept why."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.erasure.keeps import SECRET, KeepReason
from privacy.models import Erasure, ErasureKind, ErasureStep, StepState
from registry.errors import MissingError

# The order in which a receipt names places; what is not here comes last.
_ORDER: Final = ("database", "passages", "media", "keys", "gallery", "terminal", "backup", "bus")
_COUNTS: Final = ("templates", "exclusions", "deleted", "events", "keys")


@dataclass(frozen=True, slots=True)
class ReceiptStep:
    """One place. `place` is its kind, `name` which gallery, terminal or backup.

    `reasons` are codes of what keeps something and `until` when the last of them ends, None
    for an open end or where that is not to be known; `counts` says how much went.
    """

    place: str
    name: str | None
    state: StepState
    at: dt.datetime
    reasons: tuple[str, ...]
    until: dt.datetime | None
    counts: Mapping[str, int]
    code: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """An erasure with all its steps. `completed_at` is set once nothing but what is kept is left."""

    id: str
    person: str
    kind: ErasureKind
    request: str | None
    ordered_at: dt.datetime
    ordered_by: str
    due_at: dt.datetime
    completed_at: dt.datetime | None
    overdue: bool
    steps: tuple[ReceiptStep, ...]


def receipt(session: Session, erasure_id: str, at: dt.datetime, *, may_know: bool = False) -> Receipt:
    """Raises `MissingError`.

    Whoever `may_know` sees holds and official orders as such; to everybody else they are
    `by_law`, without an end, so that nobody learns of an inquiry from a receipt.
    """
    erasure = session.get(Erasure, erasure_id)
    if erasure is None:
        raise MissingError("erasure")
    rows = session.scalars(select(ErasureStep).where(ErasureStep.erasure == erasure_id)).all()
    steps = sorted((_step(row, may_know=may_know) for row in rows), key=_place)
    waits = any(step.state is StepState.PENDING for step in steps)
    return Receipt(
        erasure.id,
        erasure.person,
        ErasureKind(erasure.kind),
        erasure.request,
        erasure.ordered_at,
        erasure.ordered_by,
        erasure.due_at,
        erasure.completed_at,
        waits and at > erasure.due_at,
        tuple(steps),
    )


def _step(row: ErasureStep, *, may_know: bool) -> ReceiptStep:
    place, _, name = row.place.partition(":")
    kept: list[dict[str, Any]] = row.detail.get("keeps", []) if row.state == StepState.KEPT else []
    reasons = {KeepReason(keep["reason"]) for keep in kept}
    hidden = not may_know and bool(reasons & SECRET)
    ends = [keep["until"] for keep in kept]
    return ReceiptStep(
        place,
        name or None,
        StepState(row.state),
        row.at,
        tuple(sorted({KeepReason.BY_LAW if hidden and r in SECRET else r for r in reasons})),
        None if hidden or not ends or None in ends else max(map(dt.datetime.fromisoformat, ends)),
        {name: row.detail[name] for name in _COUNTS if isinstance(row.detail.get(name), int)},
        row.detail.get("code"),
    )


def _place(step: ReceiptStep) -> tuple[int, str]:
    rank = _ORDER.index(step.place) if step.place in _ORDER else len(_ORDER)
    return rank, step.name or ""
