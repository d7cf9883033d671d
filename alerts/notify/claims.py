"""Taking what is due: the row, the try in the log and what comes next, in one commit. Nothing is sent here.

Any number of processes may take: a row goes to one of them, and an address has one letter at a time. Whatever
cannot go now is passed over, so that nobody waits behind a receiver whose line is busy.
"""

import datetime as dt
import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from alerts.notify import ends, plan
from alerts.notify.channels.channel import Address
from alerts.notify.holding import CAP, Before, Held, Limits, held
from alerts.notify.lanes import Lanes, Place
from alerts.notify.letters import Told
from alerts.notify.models import (
    AttemptState,
    ChannelKind,
    Contact,
    Notification,
    NotificationAttempt,
    NotificationState,
    Purpose,
    under_way,
)
from alerts.notify.receivers import Circle, Usable, around
from storage import tracing

PAGE: Final = 200
_PAGES: Final = 10
HOLD: Final = dt.timedelta(seconds=plan.SENDING_S)
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Errand:
    """One letter to be brought to one address, which this process alone may do."""

    attempt: str
    notification: str
    kind: ChannelKind
    to: Address
    told: Told
    language: str
    expires_at: dt.datetime | None
    first: bool
    place: Place
    # Where it was asked for, and where the try is, in their trace.
    cause: str | None = None
    trace: str | None = None


@dataclass(slots=True)
class Taken:
    """What a claim came to."""

    errands: list[Errand] = field(default_factory=list)
    ended: list[tuple[NotificationState, Notification]] = field(default_factory=list)
    held: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Claim:
    """One taking, in one session. `kinds` and `inside` are the channels there are, and those for drills."""

    session: Session
    now: dt.datetime
    holder: str
    kinds: frozenset[ChannelKind]
    inside: frozenset[ChannelKind]
    lanes: Lanes
    limits: Limits
    most: int
    taken: Taken = field(default_factory=Taken)
    _busy: set[str] = field(default_factory=set)
    _before: dict[str, list[tuple[Notification, dt.datetime]]] = field(default_factory=dict)

    def take(self) -> Taken:
        """At most `most` letters, gravest first, then oldest."""
        for rows in self._pages():
            circle = around(self.session, rows)
            self._look_around(rows, circle)
            for row in rows:
                # One that went into another's letter is done with here.
                if row.due_at is not None and len(self.taken.errands) < self.most:
                    self._go_on(row, circle)
            if len(self.taken.errands) >= self.most:
                break
        return self.taken

    def _pages(self) -> Iterator[Sequence[Notification]]:
        busy = select(NotificationAttempt.contact).where(under_way())
        after: tuple[int, dt.datetime, str] | None = None
        for _ in range(_PAGES):
            query = select(Notification).where(
                Notification.due_at <= self.now,
                or_(Notification.channel.is_(None), Notification.channel.not_in(busy)),
            )
            if after is not None:
                severity, asked, key = after
                query = query.where(
                    or_(
                        Notification.severity > severity,
                        and_(Notification.severity == severity, Notification.asked_at > asked),
                        and_(
                            Notification.severity == severity,
                            Notification.asked_at == asked,
                            Notification.id > key,
                        ),
                    )
                )
            rows = self.session.scalars(
                query.order_by(Notification.severity, Notification.asked_at, Notification.id)
                .limit(PAGE)
                .with_for_update(skip_locked=True)
            ).all()
            if not rows:
                return
            last = rows[-1]
            after = (last.severity, last.asked_at, last.id)
            yield rows

    def _look_around(self, rows: Sequence[Notification], circle: Circle) -> None:
        """Whose line is busy, or in another process's hands at this moment; and who has had what."""
        contacts = set(circle.contacts)
        if contacts:
            mine = set(
                self.session.scalars(
                    select(Contact.id).where(Contact.id.in_(contacts)).with_for_update(skip_locked=True)
                )
            )
            sending = self.session.scalars(
                select(NotificationAttempt.contact).where(
                    NotificationAttempt.contact.in_(contacts),
                    under_way(),
                )
            )
            self._busy |= (contacts - mine) | set(sending)
        self._remember(rows)

    def _remember(self, rows: Sequence[Notification]) -> None:
        fresh = {_receiver(row) for row in rows if row.begun_at is None and row.severity > plan.GRAVE} - set(
            self._before
        )
        if not fresh:
            return
        found: dict[str, list[tuple[Notification, dt.datetime]]] = defaultdict(list)
        reach = max([self.limits.cool_s, *(cap.seconds for cap in self.limits.caps.values())])
        begun = self.session.scalars(
            select(Notification).where(
                Notification.begun_at > self.now - dt.timedelta(seconds=reach),
                or_(Notification.responder.in_(fresh), Notification.channel.in_(fresh)),
            )
        )
        for row in begun:
            if row.begun_at is not None:
                found[_receiver(row)].append((row, row.begun_at))
        for receiver in fresh:
            self._before[receiver] = found[receiver]

    def _go_on(self, row: Notification, circle: Circle) -> None:
        receiver = circle.receiver(row)
        if not receiver.active:
            self._end(row, NotificationState.WITHDRAWN)
            return
        if row.begun_at is None and (row.expires_at is None or row.expires_at > self.now):
            wait = self._held(row, circle)
            if wait is not None:
                ends.move(row, min(wait.until, self.now + _DAY), self.now)
                if row.held_by != wait.by:
                    self.taken.held.append(wait.by)
                row.held_by = wait.by
                return
        steps = circle.steps(row, Usable(self.kinds, self.inside, self.now))
        tried = circle.tried(row)
        due = True
        while True:
            move = plan.walk(ends.standing(row), steps, tried, self.now, due=due)
            if not isinstance(move, plan.Try):
                break
            step = steps[move.step]
            attempt = self._begin(row, circle.contacts[step.contact], move.step, len(tried), circle)
            if attempt is None:
                # The line is busy, or there is no place: it stays due, and its turn comes.
                return
            tried.append(plan.Tried(move.step, row.round, step.kind, AttemptState.SENDING, self.now))
            due = False
        state = ends.apply(row, move, self.now)
        if state is not None:
            self.taken.ended.append((state, row))

    def _held(self, row: Notification, circle: Circle) -> Held | None:
        before = [
            Before(at, one.severity, same=_matter(one) is not None and _matter(one) == _matter(row))
            for one, at in self._before.get(_receiver(row), ())
        ]
        return held(
            Purpose(row.purpose),
            row.severity,
            before,
            self.now,
            limits=self.limits,
            quiet=circle.receiver(row).quiet,
        )

    def _begin(
        self, row: Notification, contact: Contact, step: int, tries: int, circle: Circle
    ) -> Errand | None:
        if contact.id in self._busy or len(self.taken.errands) >= self.most:
            return None
        kind = ChannelKind(contact.kind)
        place = self.lanes.enter(kind, slow=contact.failures > 0, grave=row.severity <= plan.GRAVE)
        if place is None:
            return None
        first = row.begun_at is None
        if first:
            row.begun_at = self.now
            self._before.get(_receiver(row), []).append((row, self.now))
        attempt = NotificationAttempt(
            id=secrets.token_hex(16),
            notification=row.id,
            contact=contact.id,
            kind=kind,
            number=tries + 1,
            step=step,
            round=row.round,
            state=AttemptState.SENDING,
            holder=self.holder,
            held_until=self.now + HOLD,
            at=self.now,
            trace=tracing.within(row.trace),
        )
        self.session.add(attempt)
        self._busy.add(contact.id)
        row.step = max(row.step, step + 1)
        receiver = circle.receiver(row)
        errand = Errand(
            attempt=attempt.id,
            notification=row.id,
            kind=kind,
            to=Address(contact.id, contact.address, contact.secret, dict(contact.settings)),
            told=Told(
                notification=row.id,
                compound=row.compound,
                purpose=Purpose(row.purpose),
                severity=row.severity,
                asked_at=row.asked_at,
                kind=kind,
                important=row.important,
                drill=row.drill,
                incident=row.incident,
                dispatch=row.dispatch,
                arguments=dict(row.arguments),
                team=receiver.team,
                more=self._bundle(row) if first else self._bundled(row),
            ),
            language=receiver.language,
            expires_at=row.expires_at,
            first=first,
            place=place,
            cause=row.trace,
            trace=attempt.trace,
        )
        self.taken.errands.append(errand)
        return errand

    def _bundle(self, row: Notification) -> int:
        """Puts whatever else a cap has held for the receiver into this letter; returns how many."""
        if row.held_by != CAP:
            return 0
        others = self.session.scalars(
            select(Notification)
            .where(
                Notification.id != row.id,
                Notification.severity == row.severity,
                Notification.drill == row.drill,
                Notification.held_by == CAP,
                Notification.begun_at.is_(None),
                Notification.due_at.is_not(None),
                Notification.responder == row.responder
                if row.responder
                else Notification.channel == row.channel,
            )
            .order_by(Notification.id)
            .with_for_update(skip_locked=True)
        ).all()
        for other in others:
            other.bundle, other.due_at = row.id, None
        return len(others)

    def _bundled(self, row: Notification) -> int:
        if row.held_by != CAP:
            return 0
        return self.session.scalar(select(func.count()).where(Notification.bundle == row.id)) or 0

    def _end(self, row: Notification, state: NotificationState) -> None:
        ends.end(self.session, row, state, self.now)
        self.taken.ended.append((state, row))


def _receiver(row: Notification) -> str:
    return row.responder or row.channel or ""


def _matter(row: Notification) -> tuple[str, str] | None:
    return (row.incident, row.purpose) if row.incident else None
