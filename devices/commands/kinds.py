"""What commands there are, how long each may wait, and which of them nobody may give."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

GATE: Final = frozenset({"open", "close", "hold", "release"})
"""Commands that move something a person stands before."""

LISTS: Final = frozenset({"enrol", "delete"})
"""Commands that only the keeping of person lists gives."""


@dataclass(frozen=True, slots=True)
class Patience:
    """`waits` is how long a command is worth sending, `answers` how long its answer may take."""

    waits: dt.timedelta
    answers: dt.timedelta


_SECONDS: Final = dt.timedelta(seconds=1)
PATIENCE: Final[Mapping[str, Patience]] = {
    # Whoever stood there has walked on after five seconds: a door that opens then opens for somebody else.
    "open": Patience(5 * _SECONDS, 5 * _SECONDS),
    "close": Patience(5 * _SECONDS, 5 * _SECONDS),
    "hold": Patience(5 * _SECONDS, 5 * _SECONDS),
    "release": Patience(5 * _SECONDS, 5 * _SECONDS),
    "speak": Patience(10 * _SECONDS, 10 * _SECONDS),
    "sound": Patience(10 * _SECONDS, 10 * _SECONDS),
    "snapshot": Patience(10 * _SECONDS, 20 * _SECONDS),
    "sync_time": Patience(60 * _SECONDS, 30 * _SECONDS),
    "resend": Patience(600 * _SECONDS, 120 * _SECONDS),
    "enrol": Patience(600 * _SECONDS, 300 * _SECONDS),
    "delete": Patience(600 * _SECONDS, 120 * _SECONDS),
}

MAX_HOLD_S: Final = 12 * 3600
MAX_SPOKEN: Final = 100
MAX_SOUND_S: Final = 300


class UnlawfulCommandError(Exception):
    """A command that nobody may give. `clause` is the law's."""

    def __init__(self, kind: str, clause: str) -> None:
        super().__init__(f"{kind} is against {clause}")
        self.kind = kind
        self.clause = clause


class InvalidCommandError(ValueError):
    """Arguments that are none. `field` is the one that is wrong."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(f"{field}: {text}")
        self.field = field


def check_lawful(kind: str, direction: str | None) -> None:
    """Raises `UnlawfulCommandError` for a command that locks a way out (L-23).

    `direction` is the registered one of the device's lane. Only what leads in and nowhere
    else may be commanded shut: a lane of both directions, or of none that is known, is
    somebody's way out.
    """
    if kind == "close" and direction != "in":
        raise UnlawfulCommandError(kind, "L-23")


def check_arguments(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a command with nothing else among them. Raises `InvalidCommandError`.

    open, close: door 0…3, seconds 0.5…60 for a pulse · hold: seconds 1…43,200 · speak: text of
    1…100 characters · sound: seconds 1…300 of a siren or a lamp · resend: from, until, aware.
    """
    allowed = {
        "open": {"door", "seconds"},
        "close": {"door"},
        "hold": {"door", "seconds"},
        "release": {"door"},
        "speak": {"text"},
        "sound": {"seconds"},
        "resend": {"from", "until"},
    }.get(kind, set())
    unknown = sorted(set(given) - allowed)
    if unknown:
        raise InvalidCommandError(unknown[0], f"{kind} takes no such argument")
    checked: dict[str, Any] = {}
    if "door" in given:
        checked["door"] = int(_number("door", given["door"], 0, 3))
    if "seconds" in given:
        longest = {"hold": MAX_HOLD_S, "sound": MAX_SOUND_S}.get(kind, 60)
        checked["seconds"] = _number("seconds", given["seconds"], 0.5, longest)
    if kind == "hold" and "seconds" not in checked:
        raise InvalidCommandError("seconds", "a way is held open for a time")
    if kind == "sound" and "seconds" not in checked:
        raise InvalidCommandError("seconds", "a siren sounds for a time")
    if kind == "speak":
        checked["text"] = _words(given.get("text"))
    if kind == "resend":
        checked.update(_period(given))
    return checked


def _number(field: str, value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise InvalidCommandError(field, f"a number in {least:g}…{most:g}")
    return float(value)


def _words(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= MAX_SPOKEN or not value.isprintable():
        raise InvalidCommandError("text", f"1…{MAX_SPOKEN} characters to be spoken")
    return value.strip()


def _period(given: Mapping[str, Any]) -> dict[str, str]:
    times: list[dt.datetime] = []
    for field in ("from", "until"):
        try:
            moment = dt.datetime.fromisoformat(str(given.get(field)))
        except ValueError:
            raise InvalidCommandError(field, "a time with its zone") from None
        if moment.tzinfo is None:
            raise InvalidCommandError(field, "a time with its zone")
        times.append(moment.astimezone(dt.UTC))
    if times[0] >= times[1]:
        raise InvalidCommandError("until", "must be after `from`")
    return {"from": times[0].isoformat(), "until": times[1].isoformat()}
