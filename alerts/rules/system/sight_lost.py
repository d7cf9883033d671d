"""R-D02: a device was tampered with, covered, or shows no picture.

By itself it may be a spider. Where somebody climbs, forces a door or sets off an alarm in the same
or an adjoining zone within ten minutes, before or after, the one was done for the other: critical.
"""

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar, Final

from alerts.rules.observation import Observation, by_time
from alerts.rules.rule import (
    DISORDER,
    Clear,
    Excuse,
    Parameter,
    Question,
    Rule,
    Settings,
    Signal,
    View,
)

_TROUBLE: Final = ("device.tamper", "video.occlusion", "video.lost")
_ATTACKS: Final = ("video.climb", "door.forced", "alarm.intrusion")
_UNTIL_OVER: Final = dt.timedelta(days=365)
_LONGEST: Final = dt.timedelta(hours=24)
_WITH: Final = "with:"


class SightLost(Rule):
    """Raises one incident a device and kind of trouble; ends with it, unless an attack came beside it."""

    id = "R-D02"
    kind = "device.sight_lost"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({*_TROUBLE, *_ATTACKS})
    # A door that opened with nothing to release it, a line at the fence: what they are, these rules know.
    hears = frozenset({"R-B05", "R-C03"})
    severities: ClassVar = {"entrance": 2, "other": 3, "attack": 1}
    key = "device"
    excuses = (Excuse("video.occlusion", "device", "ended"),)
    parameters = (
        Parameter(
            "attack_min",
            "min",
            10,
            1,
            60,
            "How far apart trouble with a device and an attack near it may lie. Too short: whoever covers "
            "the camera first and comes back is two incidents. Too long: a spider makes a forced door "
            "critical.",
        ),
    )

    @staticmethod
    def ask(
        observation: Observation, view: View, settings: Settings
    ) -> Question | tuple[Question, ...] | None:
        soon = observation.at + DISORDER
        if observation.is_over:
            return Question(observation, soon, "over") if observation.type in _TROUBLE else None
        if observation.type in _TROUBLE:
            others = _attacks(observation, view, settings)
            return Question(observation, soon), *(_together(observation, other) for other in others)
        others = _seen_near(_TROUBLE, observation, view, settings) if _is_attack(observation) else []
        return tuple(_together(observation, other) for other in others)

    @staticmethod
    def hear(signal: Signal, view: View, settings: Settings) -> Question | None:
        attack = signal.anchor
        if attack.type in _ATTACKS:
            # Asked about when it was seen.
            return None
        troubles = _seen_near(_TROUBLE, attack, view, settings)
        return _together(attack, troubles[-1]) if troubles else None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        anchor = question.anchor
        if question.stage == "over":
            return _over(anchor, view)
        if question.stage.startswith(_WITH):
            return _attacked(anchor, question.stage.removeprefix(_WITH), view, settings)
        return Signal(
            rule=SightLost.id,
            kind=SightLost.kind,
            severity=settings.severity("entrance" if anchor.ring == "entrance" else "other"),
            dedupe_key=_key(anchor),
            dedupe_window=_UNTIL_OVER,
            anchor=anchor,
            evidence=(anchor,),
            reason=f"sight_lost.{anchor.type}",
            reason_args={"what": anchor.type},
        )


def _attacked(one: Observation, other_id: str, view: View, settings: Settings) -> Signal | None:
    is_trouble = one.type in _TROUBLE
    found = _attacks(one, view, settings) if is_trouble else _seen_near(_TROUBLE, one, view, settings)
    other = next((seen for seen in found if seen.id == other_id), None)
    if other is None:
        return None
    trouble, attack = (one, other) if is_trouble else (other, one)
    # Whichever came in first: the later of the two is what makes it critical.
    earlier, later = sorted((one, other), key=by_time)
    return Signal(
        rule=SightLost.id,
        kind=SightLost.kind,
        severity=settings.severity("attack"),
        dedupe_key=_key(trouble),
        dedupe_window=_UNTIL_OVER,
        anchor=later,
        evidence=(earlier, later),
        reason="sight_lost_attack",
        reason_args={"what": trouble.type, "attack": attack.type},
        stage=f"{_WITH}{earlier.id}",
        window=(earlier.at, later.at),
    )


def _over(ended: Observation, view: View) -> Clear | None:
    key = _key(ended)
    for seen in view.at_device(ended.device, ended.at, ended.at):
        if seen.type == ended.type and not seen.is_over:
            # Of two words of one moment the worse is believed.
            return None
    said = view.signals(ended.at - _LONGEST, ended.at)
    if any(one.dedupe_key == key and one.stage.startswith(_WITH) for one in said):
        # The camera sees again; what it was covered for has happened all the same.
        return None
    return Clear(SightLost.id, key, ended.at)


def _attacks(trouble: Observation, view: View, settings: Settings) -> list[Observation]:
    """What was seen near it, and what other rules took for an attack."""
    found = _seen_near(_ATTACKS, trouble, view, settings)
    reach = settings.minutes("attack_min")
    for signal in view.signals(trouble.at - reach, trouble.at + reach):
        attack = signal.anchor
        if (
            signal.rule in SightLost.hears
            and attack.type not in _ATTACKS
            and view.site.adjoin(attack.zone, trouble.zone)
        ):
            found.append(attack)
    return found


def _seen_near(kinds: Iterable[str], seen: Observation, view: View, settings: Settings) -> list[Observation]:
    reach = settings.minutes("attack_min")
    found = [
        one
        for kind in kinds
        for one in view.of_type(kind, seen.at - reach, seen.at + reach)
        if not one.is_over
        and (one.type in _TROUBLE or _is_attack(one))
        and view.site.adjoin(one.zone, seen.zone)
    ]
    return sorted(found, key=by_time)


def _is_attack(seen: Observation) -> bool:
    return seen.attributes.get("class") != "animal"


def _together(seen: Observation, other: Observation) -> Question:
    return Question(seen, max(seen.at, other.at) + DISORDER, f"{_WITH}{other.id}")


def _key(trouble: Observation) -> str:
    return f"{SightLost.id}:{trouble.device}:{trouble.type}"
