"""R-E05: more people went in through a door than were let in.

Either people and credentials are counted, or a camera or turnstile says itself that somebody
followed. A crowd is no tailgating: in a school run everybody has a credential or the door is open
for all (`Hours` of the rule book, or the door's own schedule). Nor are a family whose faces are all
known, or anybody else who is known to belong here, a trolley, or those for whom a guard or a
household opened: nobody told for how many.
"""

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar

from alerts.rules.causes import BY_HAND
from alerts.rules.entrance.lane import (
    CLOCKS,
    OPENED,
    away,
    open_times,
    stands_open,
)
from alerts.rules.entrance.letting_in import (
    credentials,
    crossings,
    holder_of,
    is_person,
    known_faces,
    people,
    uncovered,
)
from alerts.rules.observation import Observation
from alerts.rules.rule import DISORDER, Excuse, Parameter, Question, Rule, Settings, Signal, View

# How far back people and credentials are counted up: in a crowd one lends the next their place. In one
# that lasts longer and never thins out, somebody who follows may go unseen; nobody is accused wrongly.
_REACH = dt.timedelta(seconds=120)
# A door that has been open for longer than this says nothing of who followed whom.
_ONE_OPENING = dt.timedelta(seconds=60)
# A credential comes before its door moves.
_BEFORE_OPENING = dt.timedelta(seconds=3)
# Kinds of devices that keep a way shut until a credential opens it.
_KEEPS_SHUT = frozenset({"door", "turnstile", "face_camera"})
_PASSED = frozenset({"door.opened", "video.line_crossing"})
_TOLD = "told"


class PersonTailgating(Rule):
    """Raises one incident a lane and half minute; a watched person who follows makes it urgent."""

    id = "R-E05"
    kind = "person.tailgating"
    rings = frozenset({"entrance"})
    listens = frozenset({"video.tailgating", "video.line_crossing"})
    severities: ClassVar = {"day": 4, "night": 3, "watched": 2}
    key = "lane"
    excuses = (
        Excuse("access.granted"),
        Excuse("visitor.checked_in"),
        Excuse("door.opened", cause="schedule"),
        Excuse("door.opened", cause="manual_open"),
        Excuse("face.identified", words="excuse_known"),
    )
    parameters = (
        Parameter(
            "after_s",
            "s",
            2,
            0,
            10,
            "How long after somebody went in their credential may still come. Too short: a slow "
            "reader makes a crowd of tailgaters. Too long: they hide behind the next resident.",
        ),
        Parameter(
            "hold_s",
            "s",
            10,
            2,
            60,
            "How long after showing a credential its holder may walk through where no door tells "
            "how long it was open. Too short: people with bags are flagged. Too long: whoever "
            "follows a resident who turned round on the threshold is missed.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.ring != "entrance" or not is_person(observation):
            return None
        due = observation.at + settings.seconds("after_s") + DISORDER
        if observation.type == "video.line_crossing":
            return Question(observation, due) if observation.direction == "in" else None
        if observation.direction == "out" or observation.is_over:
            return None
        return Question(observation, due, stage=_TOLD)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        going = question.anchor
        hold, after = settings.seconds("hold_s"), settings.seconds("after_s")
        seen = list(view.at_place(going.place, going.at - _REACH - hold, going.at + after))
        if question.stage == _TOLD:
            extra, since, evidence = _extra_by_word(going, seen, hold)
        else:
            extra, since, evidence = _extra_by_count(going, seen, hold, after)
        if extra == 0 or not _is_kept_shut(view, going, seen):
            return None
        near = [one for one in seen if one.at >= going.at - hold]
        if any(one.cause in BY_HAND for one in near) or _is_a_stranger_alone(near):
            return None
        if stands_open(view, going.place, going.at):
            return None
        gone = away(view, going.place, min(since, going.at - hold), going.at + after)
        if gone and question.stage != _TOLD:
            # The reader that is away may have let them in and tells it later.
            return None
        watched = _watched(going, near)
        level = "night" if settings.is_night(going.at) else "day"
        reason = "tailgating_told" if question.stage == _TOLD else "tailgating"
        return Signal(
            rule=PersonTailgating.id,
            kind=PersonTailgating.kind,
            severity=settings.severity("watched" if watched is not None else level),
            dedupe_key=f"{PersonTailgating.id}:{going.place}",
            dedupe_window=dt.timedelta(seconds=30),
            anchor=going,
            evidence=(*evidence, *((watched,) if watched is not None else ()), going),
            reason="tailgating_watched" if watched is not None else reason,
            reason_args={"lane": going.place, "extra": extra, "night": level == "night"},
            needs_comparison=watched is not None,
            subject_kind="person" if watched is not None else None,
            subject=watched.person_id if watched is not None else None,
            stage=question.stage,
            window=(since, going.at + after),
            blind=gone,
        )


_Found = tuple[int, dt.datetime, list[Observation]]


def _extra_by_count(
    going: Observation, seen: Sequence[Observation], hold: dt.timedelta, after: dt.timedelta
) -> _Found:
    """How many of those who crossed had nobody's credential left for them, since when, and what tells it."""
    until = seen[: next(number for number, one in enumerate(seen) if one is going) + 1]
    line = [one for one in crossings(until, hold) if one.seen.at >= going.at - _REACH]
    since = line[-1].since
    shown = credentials(seen)
    # Faces are looked at only where credentials do not suffice: in a crowd that is the cheaper way.
    if not uncovered(line, shown, after)[-1]:
        return 0, since, []
    extra = uncovered(line, [*shown, *known_faces(seen, shown, hold)], after)[-1]
    group = [one for one in (*shown, *(one.seen for one in line)) if since <= one.at and one is not going]
    opened = [one for one in until if one.type in OPENED and one.at >= since]
    # Somebody was let in, or a door moved: without either there is nobody to follow.
    if not any(one.at >= since for one in shown) and not opened:
        return 0, since, []
    return extra, since, sorted({one.id: one for one in (*group, *opened)}.values(), key=_by_time)


def _extra_by_word(going: Observation, seen: Sequence[Observation], hold: dt.timedelta) -> _Found:
    """The same of what a device claims: unless all whom it means, and who went with them, were let in."""
    since = going.at - hold
    for time in open_times(seen):
        is_now = time.start <= going.at + CLOCKS and (time.end is None or time.end + CLOCKS >= going.at)
        if is_now and time.start >= going.at - _ONE_OPENING:
            since = time.start
            break
    claimed = people(going, 2)
    went = [one.seen for one in crossings(seen, hold) if since <= one.seen.at <= going.at]
    shown = credentials(seen)
    covered = [one for one in (*shown, *known_faces(seen, shown, hold)) if one.at >= since - _BEFORE_OPENING]
    extra = max(claimed, sum(people(one) for one in went)) - len(covered)
    return max(extra, 0), since, sorted({one.id: one for one in (*went, *covered)}.values(), key=_by_time)


def _is_kept_shut(view: View, going: Observation, seen: Sequence[Observation]) -> bool:
    """Whether anything there asks for a credential; an open passage with a camera over it does not."""
    devices = list(view.site.at(going.place))
    if devices:
        return any(device.kind in _KEEPS_SHUT for device in devices)
    return any(one.type.startswith(("access.", "door.")) for one in seen)


def _is_a_stranger_alone(near: Sequence[Observation]) -> bool:
    """An unknown face, a passage and no credential: there is nobody to follow, and R-E01 says so."""
    return (
        not credentials(near)
        and any(one.type == "face.unknown" and one.direction == "in" for one in near)
        and any(one.type in _PASSED for one in near)
    )


def _watched(going: Observation, seen: Sequence[Observation]) -> Observation | None:
    """Somebody on the watch-list whose face was seen among them and who showed nothing."""
    holders = {holder_of(one) for one in credentials(seen)}
    return next(
        (
            one
            for one in seen
            if one.type == "face.identified"
            and one.direction != "out"
            and any(going.ring in hit.rings for hit in one.watch)
            and holder_of(one) not in holders
        ),
        None,
    )


def _by_time(seen: Observation) -> tuple[dt.datetime, str]:
    return seen.at, seen.id
