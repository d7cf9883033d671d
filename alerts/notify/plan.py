"""Which channel comes next: one person's rule, what was tried already, and the time. Nothing else.

A rule is gone through step by step. The next step comes when the one before has had its seconds without an
answer, and at once where nothing before it worked. When all of it is through and nothing worked, it is gone
through again, with longer and longer pauses, and in the end somebody else has to hear of it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.notify.models import AttemptState, ChannelKind, NotificationState, Purpose

GRAVE: Final = 2
"""Severities up to this one are never held back."""

NEEDS_ANSWER: Final = frozenset(
    {Purpose.INCIDENT, Purpose.ESCALATION, Purpose.OFFER, Purpose.LONE_WORKER, Purpose.HELP}
)
"""That it came is not enough: the rule goes on until somebody does something, or it is through."""

AGAIN_S: Final[Mapping[bool, tuple[float, ...]]] = {
    True: (1.0, 5.0, 15.0),
    False: (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0),
}
"""Seconds before each further round; of what is grave, fewer: the control room is to know soon."""

SELF_SERVED: Final[Mapping[ChannelKind, float]] = {
    ChannelKind.PHONE_PAGE: 60.0,
    ChannelKind.CONSOLE: 60.0,
    ChannelKind.TELEPHONE: 600.0,
}
"""A page fetches its letters, a call is made by people: it has worked when they say so, within so many
seconds."""

LETS_KNOW_TWICE: Final = frozenset(
    {
        ChannelKind.WEB_PUSH,
        ChannelKind.PHONE_PAGE,
        ChannelKind.WEBHOOK,
        ChannelKind.MQTT,
        ChannelKind.CONSOLE,
    }
)
"""A second letter takes the first one's place there; elsewhere (a text message) it is one too many."""

FOR_GOOD: Final = frozenset({"gone", "refused"})
LOST: Final = "lost"

_HOLDS = frozenset({AttemptState.SENDING, AttemptState.HANDED_OVER, AttemptState.RECEIVED})
_USUAL_S: Final[Mapping[ChannelKind, float]] = {
    ChannelKind.PHONE_PAGE: 0.0,
    ChannelKind.WEB_PUSH: 0.0,
    ChannelKind.CONSOLE: 0.0,
    ChannelKind.APPRISE: 30.0,
    ChannelKind.WEBHOOK: 30.0,
    ChannelKind.MQTT: 30.0,
    ChannelKind.TELEPHONE: 30.0,
}


@dataclass(frozen=True, slots=True)
class Step:
    """A contact and the seconds before it is tried. `usable_at`: from when on it may be; None: never."""

    contact: str
    kind: ChannelKind
    after_s: float
    usable_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Tried:
    """A try that was made or is under way."""

    step: int
    round: int
    kind: ChannelKind
    state: AttemptState
    at: dt.datetime
    error: str | None = None

    @property
    def holds(self) -> bool:
        return self.state in _HOLDS

    @property
    def worked(self) -> bool:
        """It came, or whoever brings it has it."""
        if self.state is AttemptState.RECEIVED:
            return True
        return self.state is AttemptState.HANDED_OVER and self.kind not in SELF_SERVED


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a notification stands. `step` and everything before it has been gone over in this `round`."""

    purpose: Purpose
    severity: int
    asked_at: dt.datetime
    expires_at: dt.datetime | None = None
    step: int = 0
    round: int = 0


@dataclass(frozen=True, slots=True)
class Try:
    """A step is to be tried now."""

    step: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing before this moment."""

    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Again:
    """From the first step on, in another round."""

    round: int
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to be done."""

    state: NotificationState


Move = Try | Wait | Again | End

SENDING_S: Final = 30.0
"""Seconds for which a try is under way at the most; later it is lost."""


def usual(contacts: Sequence[tuple[str, ChannelKind]]) -> list[tuple[str, float]]:
    """The rule of whoever has made none: pages and pushes at once, then the others, the telephone last.

    Returns contacts with their seconds after the one before.
    """
    order = list(_USUAL_S)
    ranked = sorted(contacts, key=lambda one: (order.index(one[1]), one[0]))
    steps: list[tuple[str, float]] = []
    reached = 0.0
    for contact, kind in ranked:
        # The others share their moment; the telephone comes a pause after them.
        wants = _USUAL_S[kind]
        if kind is ChannelKind.TELEPHONE:
            steps.append((contact, wants))
            continue
        steps.append((contact, max(0.0, wants - reached)))
        reached = max(reached, wants)
    return steps


def walk(
    standing: Standing, steps: Sequence[Step], tried: Sequence[Tried], now: dt.datetime, *, due: bool
) -> Move:
    """What comes next. `due`: the moment that was waited for has come, whatever clocks said before."""
    if standing.expires_at is not None and standing.expires_at <= now:
        return End(_verdict(tried, NotificationState.EXPIRED))
    anchor: dt.datetime | None = None
    for number, step in enumerate(steps):
        mine = [one for one in tried if one.step == number]
        if any(one.holds for one in mine):
            latest = min(now, max(one.at for one in mine))
            anchor = latest if anchor is None else max(anchor, latest)
            continue
        if not _open(standing, number, step, mine, now):
            continue
        moment = _moment(standing, number, step, anchor, now)
        return Try(number) if due or moment <= now else Wait(moment)
    return _through(standing, steps, tried, now, due=due)


def _open(standing: Standing, number: int, step: Step, mine: Sequence[Tried], now: dt.datetime) -> bool:
    if step.usable_at is None or step.usable_at > now or _is_over(mine):
        return False
    if number >= standing.step:
        return True
    # A process went away in the middle: once more, where a second letter takes the first one's place.
    lost = [one for one in mine if one.round == standing.round]
    return len(lost) == 1 and lost[0].error == LOST and step.kind in LETS_KNOW_TWICE


def _is_over(mine: Sequence[Tried]) -> bool:
    """No further try is made on it: it will never take it, or it may have it and would have it twice."""
    return any(
        one.error in FOR_GOOD or (one.state is AttemptState.UNCERTAIN and one.kind not in LETS_KNOW_TWICE)
        for one in mine
    )


def _moment(
    standing: Standing, number: int, step: Step, anchor: dt.datetime | None, now: dt.datetime
) -> dt.datetime:
    wait = dt.timedelta(seconds=step.after_s)
    if number < standing.step:
        return now
    if anchor is not None:
        return anchor + wait
    if number == 0 and standing.round == 0:
        return min(standing.asked_at, now) + wait
    return now


def _through(
    standing: Standing, steps: Sequence[Step], tried: Sequence[Tried], now: dt.datetime, *, due: bool
) -> Move:
    if any(one.state is AttemptState.SENDING for one in tried):
        return Wait(now + dt.timedelta(seconds=SENDING_S))
    if any(one.worked for one in tried):
        return End(NotificationState.TOLD)
    looked = [
        min(one.at, now) + dt.timedelta(seconds=SELF_SERVED[one.kind])
        for one in tried
        if one.holds and one.kind in SELF_SERVED
    ]
    if looked and max(looked) > now and not due:
        return Wait(max(looked))
    pauses = AGAIN_S[standing.severity <= GRAVE]
    open_at = [
        step.usable_at
        for number, step in enumerate(steps)
        if step.usable_at is not None and not _closed(number, tried)
    ]
    if open_at and standing.round < len(pauses):
        pause = now + dt.timedelta(seconds=pauses[standing.round])
        return Again(standing.round + 1, max(pause, min(open_at)))
    return End(NotificationState.UNREACHED)


def _closed(number: int, tried: Sequence[Tried]) -> bool:
    mine = [one for one in tried if one.step == number]
    return _is_over(mine) or any(one.holds for one in mine)


def _verdict(tried: Sequence[Tried], otherwise: NotificationState) -> NotificationState:
    return NotificationState.TOLD if any(one.worked for one in tried) else otherwise
