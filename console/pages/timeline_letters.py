"""Of a timeline, the letters: to whom, by which way, what came of it, and when it came."""

from collections.abc import Callable, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.notify.models import AttemptState, Contact, Notification, NotificationAttempt, NotificationState
from console.pages.timeline_entries import Entry, Moment, Sort
from console.pages.view import Frame

_FAILED = frozenset({AttemptState.FAILED, AttemptState.UNCERTAIN})


def letters(
    session: Session, incident: str, view: Frame, name: Callable[[str | None], str]
) -> Iterable[Moment]:
    """Asked for, tried, received, answered: each at its own time. `name` of a responder."""
    rows = session.execute(
        select(Notification, Contact.name.label("channel_name"))
        .outerjoin(Contact, Contact.id == Notification.channel)
        .where(Notification.incident == incident)
    ).all()
    heads = {row.Notification.id: row for row in rows}
    for row in heads.values():
        yield from _letter(row.Notification, row.channel_name or "", view, name)
    tries = session.scalars(
        select(NotificationAttempt)
        .join(Notification, Notification.id == NotificationAttempt.notification)
        .where(Notification.incident == incident)
    )
    for one in tries:
        head = heads[one.notification]
        yield from _attempt(one, head.Notification, head.channel_name or "", view, name)


def _letter(
    row: Notification, channel: str, view: Frame, name: Callable[[str | None], str]
) -> Iterable[Moment]:
    t, needs = view.t, (row.responder or "",)

    def to() -> str:
        return name(row.responder) or channel or "–"

    purpose = t.code("timeline_purpose", str(row.purpose))
    yield Moment(
        row.asked_at,
        Sort.LETTER,
        f"4a{row.id}",
        lambda: Entry(what=t("timeline.letter", name=to(), purpose=purpose), severity=row.severity),
        needs,
    )
    ended = NotificationState(row.state)
    if row.ended_at is not None and ended is not NotificationState.TOLD:
        yield Moment(
            row.ended_at,
            Sort.LETTER,
            f"4d{row.id}",
            lambda: Entry(
                what=t("timeline.letter_came", name=to(), came=t.code("told", ended.value)),
                blind=ended is NotificationState.UNREACHED,
            ),
            needs,
        )


def _attempt(
    one: NotificationAttempt,
    head: Notification,
    channel: str,
    view: Frame,
    name: Callable[[str | None], str],
) -> Iterable[Moment]:
    t, needs = view.t, (head.responder or "",)
    state = AttemptState(one.state)
    way = t.code("channel", str(one.kind))

    def say(came: str) -> Callable[[], Entry]:
        return lambda: Entry(
            what=t("timeline.letter_way", name=name(head.responder) or channel or "–", way=way, came=came),
            lines=(one.error,) if one.error and state in _FAILED else (),
        )

    received = state is AttemptState.RECEIVED
    sent = AttemptState.HANDED_OVER if received else state
    yield Moment(one.at, Sort.LETTER, f"4b{one.id}", say(t.code("attempt", sent.value)), needs)
    if received:
        at = one.received_at or one.settled_at or one.at
        yield Moment(at, Sort.LETTER, f"4c{one.id}", say(t.code("attempt", "received")), needs)
