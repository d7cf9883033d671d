"""R-B09: somebody who asked to be looked after has not been heard of for a day.

Care, not security: only for people who have agreed, by nothing but what they have agreed to (their
door, lift, water, a sensor in the hall) and their own credential. First somebody calls them, then
their contact, then somebody goes to see; after two hours in which nobody said how they are, it is
urgent. What is known in practice: 12 h with less than 0.01 m³ of water (Shanghai, Shenzhen), 24 h
without an opened door (domain §5).
"""

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar, Final

from alerts.rules.coverage import blind
from alerts.rules.engine import HORIZON
from alerts.rules.observation import Observation
from alerts.rules.rule import (
    DISORDER,
    Blind,
    Clear,
    Excuse,
    Parameter,
    Question,
    Rule,
    Settings,
    Signal,
    View,
)

_AT_HOME: Final = frozenset({"care.activity", "door.opened", "door.closed"})
_THEMSELVES: Final = frozenset({"access.granted", "access.denied", "access.duress"})
# So much water at once is somebody washing, not a tap that drips.
_WASHING_M3: Final = 0.01
# How far back is looked: not to the very edge of the memory, which is forgetting.
_BACK: Final = HORIZON - dt.timedelta(minutes=10)


class ElderSilent(Rule):
    """Raises one incident a person; the first sign of life clears it.

    Silent during an absence that was declared, which ends with a new count; from the moment at which
    consent is withdrawn; and where the sensors were away for long: then their silence says nothing,
    and all that can be said, as a notice, is that nobody looks after this person just now. Urgent
    only while nobody has closed the first call.
    """

    id = "R-B09"
    kind = "care.silent"
    rings = frozenset({"entrance", "common", "building"})
    listens = _AT_HOME | _THEMSELVES | {"care.began", "care.away"}
    severities: ClassVar = {"call": 3, "unanswered": 2, "unwatched": 4}
    key = "person"
    care = True
    excuses = (
        Excuse("care.activity", "subject", words="excuse_sign_of_life"),
        Excuse("care.away", "subject", words="excuse_away"),
    )
    parameters = (
        Parameter(
            "quiet_h",
            "h",
            24,
            6,
            24,
            "How long without a sign of life. Too short: people who rest are called out of bed. Too "
            "long: somebody who fell lies for a night.",
        ),
        Parameter(
            "water_h",
            "h",
            12,
            4,
            24,
            "How long where the water meter says that none was used. Too short: a long sleep is a "
            "call. Too long: the meter adds nothing to the door.",
        ),
        Parameter(
            "water_m3",
            "m³",
            0.01,
            0.001,
            0.1,
            "How much water in that time is a sign of life. Too little: a dripping tap is one. Too "
            "much: people who use little are called.",
        ),
        Parameter(
            "answer_h",
            "h",
            2,
            0.5,
            2.5,
            "How long the call may stay without an answer before it is urgent. Too short: the contact "
            "has no time to look. Too long: somebody waits for help.",
        ),
        Parameter(
            "blind_min",
            "min",
            30,
            0,
            240,
            "How long sensors may have been away and their silence still counts. Too short: a restart "
            "of a hub stops the care. Too long: a broken sensor calls people who are well.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> tuple[Question, ...] | None:
        if observation.person_id is None or not _starts_a_count(observation):
            return None
        # Said in its turn: what it ends was said before it, whatever came in first.
        over = (Question(observation, observation.at + DISORDER, "over"),) if _is_up(observation) else ()
        since = observation.at
        answer = settings.hours("answer_h")
        quiet = since + settings.hours("quiet_h") + DISORDER
        water = since + settings.hours("water_h") + DISORDER
        return (
            *over,
            Question(observation, water, "water"),
            Question(observation, water + answer, "water_unanswered"),
            Question(observation, quiet, "quiet"),
            Question(observation, quiet + answer, "quiet_unanswered"),
        )

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        last, until = question.anchor, question.due - DISORDER
        if question.stage == "over":
            return Clear(ElderSilent.id, _key(last), last.at)
        since = last.at
        theirs = list(view.of_subject(f"person:{last.person_id}", until - _BACK, question.due))
        if _is_absent(theirs, since):
            return None
        if any(_ends_the_count(seen, last, since, until) for seen in theirs):
            return None
        by_water = question.stage.startswith("water")
        readings = [water for seen in theirs if since < seen.at <= until for water in _water(seen)]
        if by_water and (not readings or sum(readings) >= settings.values["water_m3"]):
            return None
        lately = until - settings.hours("water_h")
        used = sum(water for seen in theirs if lately < seen.at <= until for water in _water(seen))
        if used >= settings.values["water_m3"]:
            return None
        unanswered = question.stage.endswith("_unanswered")
        if unanswered and not _still_stands(question, view):
            return None
        gone = _sensors_blind(question, view, theirs, since)
        lost = _longest(gone)
        if lost > settings.minutes("blind_min"):
            # Nothing was heard because nothing could be.
            return _say(question, settings, "unwatched", gone) if question.stage == "quiet" else None
        return _say(question, settings, "unanswered" if unanswered else "call", gone)


def _say(question: Question, settings: Settings, level: str, gone: tuple[Blind, ...]) -> Signal:
    last, until = question.anchor, question.due - DISORDER
    hours = (until - last.at) / dt.timedelta(hours=1)
    reason = {"call": "care_quiet", "unanswered": "care_unanswered", "unwatched": "care_unwatched"}[level]
    if level == "call" and question.stage == "water":
        reason = "care_no_water"
    return Signal(
        rule=ElderSilent.id,
        kind=ElderSilent.kind,
        severity=settings.severity(level),
        dedupe_key=_key(last),
        dedupe_window=HORIZON,
        anchor=last,
        evidence=(last,),
        reason=reason,
        reason_args={"hours": round(hours, 1)},
        subject_kind="person",
        subject=last.person_id,
        stage=question.stage,
        window=(last.at, until),
        blind=gone,
    )


def _key(seen: Observation) -> str:
    return f"{ElderSilent.id}:{seen.person_id}"


def _is_sign_of_life(seen: Observation) -> bool:
    """Whether it shows that the person is up, and they want that it is looked at."""
    if seen.person is None or not seen.person.cared_for:
        return False
    if seen.type in _THEMSELVES:
        return True
    if seen.type == "care.activity":
        return seen.number("water_m3") != 0 and seen.number("count") != 0
    return seen.type in _AT_HOME and seen.dwelling is not None


def _is_up(seen: Observation) -> bool:
    """Whether it shows so surely that they are up that a call is over; a few drops do not."""
    water = seen.number("water_m3")
    return _is_sign_of_life(seen) and (water is None or water >= _WASHING_M3)


def _starts_a_count(seen: Observation) -> bool:
    if seen.type == "care.began":
        return not seen.is_over
    if seen.type == "care.away":
        return seen.is_over
    return _is_sign_of_life(seen)


def _is_absent(theirs: Sequence[Observation], since: dt.datetime) -> bool:
    """Whether somebody has said that they are away in this time; the count goes on from its end.

    The same absence is told once a day, for as long as the memory is, and once more when it ends,
    which may be earlier than was said.
    """
    words = [seen for seen in theirs if seen.type == "care.away"]
    ends = [seen for seen in words if seen.is_over]
    for seen in words:
        if seen in ends:
            continue
        over = [end.at for end in ends if end.at >= seen.at]
        if seen.until is not None:
            over.append(seen.until)
        if not over or min(over) > since:
            return True
    return False


def _ends_the_count(seen: Observation, last: Observation, since: dt.datetime, until: dt.datetime) -> bool:
    """Whether silence since `since` means nothing, or another count goes on from there."""
    if seen.id == last.id or seen.type == "care.away" or not since < seen.at <= until:
        return False
    if seen.type in {"care.ended", "care.began"}:
        return True
    if seen.person is not None and not seen.person.cared_for:
        # Withdrawn: what was agreed to is over at once.
        return True
    return _is_sign_of_life(seen) and seen.number("water_m3") is None


def _water(seen: Observation) -> Sequence[float]:
    water = seen.number("water_m3")
    return (water,) if seen.type == "care.activity" and water is not None else ()


def _still_stands(question: Question, view: View) -> bool:
    """Whether the first call of this silence was made, and nobody has closed it."""
    first = question.stage.removesuffix("_unanswered")
    anchor = question.anchor
    return any(
        signal.rule == ElderSilent.id
        and (signal.anchor.id, signal.stage) == (anchor.id, first)
        and signal.reason != "care_unwatched"
        for signal in view.signals(anchor.at, anchor.at)
    )


def _sensors_blind(
    question: Question, view: View, theirs: Sequence[Observation], since: dt.datetime
) -> tuple[Blind, ...]:
    """When the sensors that tell of this person were away; those at home, where there are any."""
    at_home = {seen.device for seen in theirs if seen.type in _AT_HOME}
    named = at_home or {seen.device for seen in theirs if seen.type in _THEMSELVES}
    devices = [view.site.devices[name] for name in sorted(named) if name in view.site.devices]
    return blind(view, devices, since, question.due - DISORDER, as_of=question.due)


def _longest(gone: tuple[Blind, ...]) -> dt.timedelta:
    """How long the sensor was away that was away longest, all times together."""
    lost: dict[str, dt.timedelta] = {}
    for one in gone:
        lost[one.device] = lost.get(one.device, dt.timedelta()) + (one.end - one.start)
    return max(lost.values(), default=dt.timedelta())
