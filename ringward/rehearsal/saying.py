"""An explanation in words, and as JSON: places and times are told, people are not."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from alerts.rehearsal.why import Excused, Explanation, Moved
from alerts.rules import Observation
from console.texts import Texts
from ringward.rehearsal.because import Because, Why

_IN_SECONDS: Final = 7200


def lines(why: Why, texts: Texts) -> Iterator[str]:
    """The explanation, a line a fact; a heading begins with #."""
    yield f"# {texts('why.title', incident=why.incident)}"
    if why.signals > 1:
        yield texts("why.several", count=why.signals)
    for because in why.because:
        yield from _signal(why, because, texts)


def as_json(why: Why) -> dict[str, Any]:
    """The explanation as one object; times are UTC."""
    return {
        "incident": why.incident,
        "compound": why.compound,
        "signals": why.signals,
        "because": [_because_json(one) for one in why.because],
    }


def _signal(why: Why, because: Because, texts: Texts) -> Iterator[str]:
    trace = because.trace
    yield f"# {texts.code('rule', because.target.rule)}"
    if not trace.get("anchor"):
        yield texts("why.old")
        return
    yield texts("why.version", version=trace.get("rules"), mode=texts.code("mode", str(trace.get("mode"))))
    found = because.explanation
    if found is None:
        yield texts("why.not_again")
        yield from (f"{name} = {value:g}" for name, value in (trace.get("parameters") or {}).items())
        return
    signal = found.signal
    yield texts.sentence(f"reason.{signal.reason}", {**signal.reason_args, "place": signal.anchor.place})
    level = texts(f"severity.{signal.severity}")
    if found.levels:
        level = texts("why.level", severity=level, level=" / ".join(found.levels))
    yield texts("why.severity", severity=level)
    yield f"# {texts('why.inputs')}"
    for seen in signal.evidence:
        mark = f" ({texts('why.anchor')})" if seen.id == signal.anchor.id else ""
        yield f"{_clock(seen.at, why.zone)}  {_what(seen.type, texts)}  {_where(seen)}{mark}"
    if signal.window is None:
        yield texts("why.window_none")
    else:
        start, end = (_clock(moment, why.zone) for moment in signal.window)
        yield texts("why.window", start=start, end=end)
    yield f"# {texts('why.parameters')}"
    values = dict(found.parameters)
    for parameter in because.rule.parameters if because.rule is not None else ():
        yield texts(
            "why.parameter",
            name=parameter.name,
            value=f"{values[parameter.name]:g}",
            unit=parameter.unit,
            default=f"{parameter.default:g}",
            low=f"{parameter.low:g}",
            high=f"{parameter.high:g}",
        )
    yield f"# {texts('why.blind')}"
    for blind in signal.blind:
        span = f"{_clock(blind.start, why.zone)} – {_clock(blind.end, why.zone)}"
        yield f"{blind.device}  {span}  {texts.code('why.blind', blind.why)}"
    if not signal.blind:
        yield texts("why.blind_none")
    yield f"# {texts('why.counter')}"
    yield from _otherwise(why, found, texts)


def _otherwise(why: Why, found: Explanation, texts: Texts) -> Iterator[str]:
    for excused in found.excuses:
        yield _excuse(excused, found, texts)
    for moved in found.moved:
        yield _moved(moved, texts)
    for missing in found.missing:
        seen = missing.observation
        yield texts(
            "why.without",
            what=_what(seen.type, texts),
            at=_clock(seen.at, why.zone),
            where=_where(seen),
            outcome=_outcome(missing.outcome, texts),
        )
    if len(found.missing) < len(found.signal.evidence):
        yield texts("why.without_no" if found.missing else "why.without_any")
    if found.hour is not None:
        key = "why.hour_night" if found.hour.night else "why.hour_day"
        yield texts(key, outcome=_outcome(found.hour.outcome, texts))


def _excuse(excused: Excused, found: Explanation, texts: Texts) -> str:
    excuse = excused.excuse
    what = _what(excuse.type, texts)
    if excuse.words in texts.keys and excuse.words != "excuse_seen":
        what = f"{what} ({texts(excuse.words)})"
    elif excuse.cause is not None:
        what = f"{what} ({texts.code('cause', excuse.cause)})"
    seen = excused.observation
    if seen is None:
        return texts("why.excuse_other", what=what, where=_where(found.signal.anchor))
    return texts(
        "why.excuse",
        what=what,
        where=_where(seen),
        offset=_span(excused, texts),
        outcome=_outcome(excused.outcome, texts),
    )


def _span(excused: Excused, texts: Texts) -> str:
    return texts("why.offset", first=_offset(excused.first_s, texts), last=_offset(excused.last_s, texts))


def _offset(seconds: float, texts: Texts) -> str:
    """In seconds, as devices tell; beyond two hours nobody counts them."""
    if abs(seconds) <= _IN_SECONDS:
        return texts("why.offset_s", value=f"{seconds:+.10g}")
    return texts("why.offset_h", value=f"{seconds / 3600:+.1f}")


def _moved(moved: Moved, texts: Texts) -> str:
    parameter = moved.parameter
    if moved.value is None:
        return texts(
            "why.moved_no", name=parameter.name, low=f"{parameter.low:g}", high=f"{parameter.high:g}"
        )
    return texts(
        "why.moved",
        name=parameter.name,
        value=f"{moved.value:g}",
        now=f"{moved.now:g}",
        unit=parameter.unit,
        outcome=_outcome(moved.outcome, texts),
    )


def _outcome(severity: int | None, texts: Texts) -> str:
    if severity is None:
        return texts("why.silent")
    return texts("why.other", severity=texts(f"severity.{severity}"))


def _where(seen: Observation) -> str:
    """The lane or device; what the register or the clock tells of is of a zone."""
    return seen.place or seen.zone


def _what(kind: str, texts: Texts) -> str:
    return texts.code("event", kind)


def _clock(moment: dt.datetime, zone: dt.tzinfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%m-%d %H:%M:%S}.{local.microsecond // 100_000}"


def _because_json(because: Because) -> dict[str, Any]:
    found = because.explanation
    return {
        "rule": because.target.rule,
        "stage": because.target.stage,
        "severity": because.severity,
        "version": because.trace.get("rules"),
        "mode": because.trace.get("mode"),
        "explained": found is not None,
        "parameters": because.trace.get("parameters") or {},
        "window": because.trace.get("window"),
        "blind": because.trace.get("blind") or [],
        **({} if found is None else _found_json(found)),
    }


def _found_json(found: Explanation) -> dict[str, Any]:
    signal = found.signal
    return {
        "reason": signal.reason,
        "night": found.night,
        "levels": list(found.levels),
        "parameters": dict(found.parameters),
        "inputs": [_seen_json(seen) | {"anchor": seen.id == signal.anchor.id} for seen in signal.evidence],
        "counterfactuals": [
            *(
                {
                    "kind": "excuse",
                    "type": one.excuse.type,
                    "cause": one.excuse.cause,
                    "words": one.excuse.words,
                    "changes": one.observation is not None,
                    "outcome": _outcome_json(one.outcome),
                }
                | (
                    {}
                    if one.observation is None
                    else {
                        "place": one.observation.place,
                        "first_s": one.first_s,
                        "last_s": one.last_s,
                    }
                )
                for one in found.excuses
            ),
            *(
                {
                    "kind": "parameter",
                    "name": one.parameter.name,
                    "unit": one.parameter.unit,
                    "now": one.now,
                    "value": one.value,
                    "changes": one.value is not None,
                    "outcome": _outcome_json(one.outcome),
                }
                for one in found.moved
            ),
            *(
                {"kind": "input", "changes": True, "outcome": _outcome_json(one.outcome)}
                | _seen_json(one.observation)
                for one in found.missing
            ),
            *(
                {"kind": "hour", "night": one.night, "changes": True, "outcome": _outcome_json(one.outcome)}
                for one in ([found.hour] if found.hour is not None else [])
            ),
        ],
    }


def _outcome_json(severity: int | None) -> str | int:
    return "silent" if severity is None else severity


def _seen_json(seen: Observation) -> dict[str, Any]:
    return {
        "event_id": seen.event_id,
        "type": seen.type,
        "at": seen.at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "device": seen.device,
        "zone": seen.zone,
        "lane": seen.lane,
    }
