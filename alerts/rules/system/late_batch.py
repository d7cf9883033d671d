"""R-D04: a device was away and has read out what it had kept: history is complete again.

Nothing of it raises an alert. What would have been urgent or critical, had it come in time, is
listed with the notice for somebody to look at: nobody is sent after a door that was forced two
hours ago, but that it was has to be known. This is the only rule that sees late records.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final

from alerts.rules.observation import Observation
from alerts.rules.rule import Parameter, Question, Rule, Settings, Signal, View

_GRAVE: Final = 2
# What else was known of the place then is looked at so far around the records.
_AROUND: Final = dt.timedelta(minutes=10)
# More than a camera keeps (9,000); beyond it the newest are looked through.
_MOST: Final = 10_000
_LISTED: Final = 50


class LateBatch(Rule):
    """Raises one incident a device and batch, once nothing more has come for a while."""

    id = "R-D04"
    kind = "device.history_restored"
    rings = frozenset({"entrance", "common", "building"})
    hears_late = True
    severities: ClassVar = {"usual": 4}
    key = "device"
    parameters = (
        Parameter(
            "least",
            "records",
            20,
            2,
            1000,
            "How many late records are worth a notice. Too few: each hiccup of a line is one. Too many: an "
            "hour of history arrives and nobody looks at it.",
        ),
        Parameter(
            "quiet_s",
            "s",
            60,
            10,
            600,
            "How long nothing more must have come. Too short: one outage is many notices. Too long: the "
            "list is there when the shift is over.",
        ),
        Parameter(
            "longest_min",
            "min",
            30,
            5,
            240,
            "After how long a batch that does not end is told of all the same, and how far back it reaches. "
            "Too short: one outage is many notices. Too long: a device that is always late is never told of.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        return Question(observation, observation.received_at + settings.seconds("quiet_s"))

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        last = question.anchor
        longest = settings.minutes("longest_min")
        for later in view.late_of(last.device, last.received_at, question.due):
            if _order(later) > _order(last) and _part(later, longest) == _part(last, longest):
                # That one's question will be the batch's.
                return None
        batch = _batch(last, view, settings)
        if len(batch) < settings.values["least"]:
            return None
        start, end = min(seen.at for seen in batch), max(seen.at for seen in batch)
        missed = _missed(batch, view)
        return Signal(
            rule=LateBatch.id,
            kind=LateBatch.kind,
            severity=settings.severity("usual"),
            dedupe_key=f"{LateBatch.id}:{last.device}",
            # Of when it happened: a device that is always late is one incident, two outages are two.
            dedupe_window=2 * longest,
            anchor=last,
            evidence=(last,),
            reason="late_batch_grave" if missed else "late_batch",
            reason_args={
                "count": len(batch),
                "since": start.isoformat(),
                "until": end.isoformat(),
                "grave": len(missed),
                "would_have": [_line(signal) for signal in missed[:_LISTED]],
            },
            window=(start, end),
        )


def _order(seen: Observation) -> tuple[dt.datetime, str]:
    return seen.received_at, seen.id


def _part(seen: Observation, longest: dt.timedelta) -> int:
    """A batch that goes on and on is told of part by part."""
    return int(seen.received_at.timestamp() // longest.total_seconds())


def _batch(last: Observation, view: View, settings: Settings) -> list[Observation]:
    """The records up to the last one, as far back as they came without a pause."""
    quiet = settings.seconds("quiet_s")
    came = list(
        view.late_of(last.device, last.received_at - settings.minutes("longest_min"), last.received_at)
    )
    batch: list[Observation] = []
    after = last.received_at
    for seen in reversed(came):
        if _order(seen) > _order(last):
            continue
        if after - seen.received_at > quiet:
            break
        batch.append(seen)
        after = seen.received_at
    return batch[:_MOST]


def _missed(batch: Sequence[Observation], view: View) -> list[Signal]:
    """What would have been raised, gravest first: of each incident the first word.

    Looked at together with what came in time from the same zones, and with what their other devices
    brought late: a card that was read by another reader still excuses.
    """
    known = {seen.id for seen in batch}
    others = [seen for seen in _around(batch, view) if seen.id not in known]
    said = {(signal.rule, signal.anchor.id, signal.stage) for signal in _said(batch, view)}
    found: list[Signal] = []
    last: dict[str, dt.datetime] = {}
    for signal in view.rehearse([*batch, *others]):
        stands_on = {seen.id for seen in (signal.anchor, *signal.evidence)}
        if signal.severity > _GRAVE or not stands_on & known:
            continue
        if (signal.rule, signal.anchor.id, signal.stage) in said:
            continue
        at = signal.anchor.at
        before = last.get(signal.dedupe_key)
        last[signal.dedupe_key] = at
        if before is None or at - before > signal.dedupe_window:
            found.append(signal)
    return sorted(found, key=lambda signal: (signal.severity, signal.anchor.at, signal.anchor.id))


def _around(batch: Sequence[Observation], view: View) -> Iterable[Observation]:
    start, end = min(seen.at for seen in batch) - _AROUND, max(seen.at for seen in batch) + _AROUND
    came = min(seen.received_at for seen in batch) - _AROUND, max(seen.received_at for seen in batch)
    own = batch[0].device
    for zone in sorted({seen.zone for seen in batch}):
        yield from view.in_zone(zone, start, end)
        for device in view.site.within(zone):
            if device.id != own:
                yield from (seen for seen in view.late_of(device.id, *came) if start <= seen.at <= end)


def _said(batch: Sequence[Observation], view: View) -> Sequence[Signal]:
    return view.signals(min(seen.at for seen in batch) - _AROUND, max(seen.at for seen in batch) + _AROUND)


def _line(signal: Signal) -> dict[str, Any]:
    anchor = signal.anchor
    return {
        "rule": signal.rule,
        "kind": signal.kind,
        "severity": signal.severity,
        "at": anchor.at.isoformat(),
        "place": anchor.place,
        "event": anchor.event_id or anchor.id,
    }
