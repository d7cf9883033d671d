"""What an incident looks like, and what a further signal changes of it. Pure.

The gravest signal says what it is, where it is and why; it never gets milder by itself. Every signal
leaves its own portrait in its evidence, so that incidents can be put together and taken apart again.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from alerts.rules import RuleBook, Signal
from alerts.rules.registered import RULES

_STAYS: Final = ("entry_id",)
"""Facts that stay whatever else becomes the reason: what a watch-list entry led to is kept with it."""

_BY_ID: Final = {rule.id: rule for rule in RULES}


def is_care(rule: str) -> bool:
    """Whether a rule belongs to people's care rather than to security."""
    known = _BY_ID.get(rule)
    return known is not None and known.care


def is_safety(rule: str) -> bool:
    """Whether a rule is of fire, SOS, duress or fall: never held back."""
    known = _BY_ID.get(rule)
    return known is not None and known.safety


@dataclass(frozen=True, slots=True)
class Portrait:
    """Kind, place, reason and subject of an incident, as its columns have them."""

    severity: int
    kind: str
    ring: str
    zone: str
    device_id: str
    lane: str | None
    reason: str
    reason_args: Mapping[str, Any]
    needs_comparison: bool = False
    subject_kind: str | None = None
    subject: str | None = None
    probable: bool = False
    blind: tuple[Mapping[str, Any], ...] = ()

    def with_heard(self, heard: "Portrait", *, decided: bool) -> "Portrait":
        """What it looks like once another signal is part of it.

        `decided`: people have confirmed it and may be on the way. Then a machine's word on a person,
        which nobody has compared, makes it graver for the operators but is not told to those outside.
        """
        graver = heard.severity < self.severity
        uncompared = decided and heard.needs_comparison and not self.needs_comparison
        changed: dict[str, Any] = {
            "probable": self.probable or heard.probable,
            "blind": (*self.blind, *(one for one in heard.blind if one not in self.blind)),
        }
        if graver:
            changed["severity"] = heard.severity
        if graver and not uncompared:
            stays = {name: self.reason_args[name] for name in _STAYS if name in self.reason_args}
            changed |= {
                "kind": heard.kind,
                "ring": heard.ring,
                "zone": heard.zone,
                "device_id": heard.device_id,
                "lane": heard.lane,
                "reason": heard.reason,
                "reason_args": stays | dict(heard.reason_args),
                "needs_comparison": heard.needs_comparison,
            }
        elif heard.severity == self.severity and not uncompared:
            changed["needs_comparison"] = self.needs_comparison or heard.needs_comparison
        if self.subject is None and heard.subject is not None:
            changed |= {"subject_kind": heard.subject_kind, "subject": heard.subject}
        return replace(self, **changed)


def of_signal(signal: Signal) -> Portrait:
    """What a signal says by itself."""
    anchor = signal.anchor
    return Portrait(
        severity=signal.severity,
        kind=signal.kind,
        ring=anchor.ring,
        zone=anchor.zone,
        device_id=anchor.device,
        lane=anchor.lane,
        reason=signal.reason,
        reason_args=dict(signal.reason_args),
        needs_comparison=signal.needs_comparison,
        subject_kind=signal.subject_kind,
        subject=signal.subject,
        probable=signal.probable,
        blind=tuple(
            {"device": one.device, "start": _text(one.start), "end": _text(one.end), "why": one.why}
            for one in signal.blind
        ),
    )


def trace(signal: Signal, book: RuleBook) -> dict[str, Any]:
    """What is kept of a signal besides what it stands on: enough to explain it and to judge it anew."""
    looks = of_signal(signal)
    kept: dict[str, Any] = {
        name: getattr(looks, name)
        for name in Portrait.__dataclass_fields__
        if name not in {"severity", "reason_args", "blind"}
    }
    known = _BY_ID.get(signal.rule)
    settings = book.settings(known, signal.anchor) if known is not None else None
    return kept | {
        "args": dict(signal.reason_args),
        "anchor": signal.anchor.id,
        "anchor_type": signal.anchor.type,
        "joins": list(signal.joins),
        "window": None if signal.window is None else [_text(moment) for moment in signal.window],
        "dedupe_s": signal.dedupe_window.total_seconds(),
        "blind": [dict(one) for one in looks.blind],
        "parameters": {} if settings is None else dict(settings.values),
        "rules": book.version,
        "mode": str(book.mode),
    }


def of_trace(severity: int, kept: Mapping[str, Any]) -> Portrait | None:
    """The portrait that a signal left behind; None where it is older than traces are."""
    if "kind" not in kept:
        return None
    names = set(Portrait.__dataclass_fields__) - {"severity", "reason_args", "blind"}
    return Portrait(
        severity=severity,
        reason_args=dict(kept.get("args") or {}),
        blind=tuple(kept.get("blind") or ()),
        **{name: kept.get(name) for name in names},  # type: ignore[arg-type]
    )


def _text(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
