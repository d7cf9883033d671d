"""Measures that are read from the database: a few counts each, none of which looks at a whole history."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from sqlalchemy import Select, case, func, select, text
from sqlalchemy.orm import Session

from alerts import leases
from alerts.leases import AlertLease
from alerts.notify.models import Notification
from alerts.reactions import IncidentChange
from bus.deadletters import GIVEN_UP, DeadLetter
from console.accounts.models import User
from devices.models import Device, DeviceStatus
from recognition.decisions import FaceOutcome
from recognition.feedback.score import WINDOW, score, tallies
from recognition.models import DecisionRow
from registry.models import FaceTemplate
from ringward.measures import definitions as of
from ringward.measures.definitions import Measure, Sample
from storage import Clock, partitions
from storage.audit import AuditRow
from storage.backups import BackupRun
from storage.events import OutboxRow

DAY: Final = dt.timedelta(days=1)
FEWEST: Final = 50
"""Fewer faces than this say nothing of a camera or a model: the next ten may say the opposite."""


class Waiting:
    """The outbox has no times: how long its oldest row has been there is what this has seen of it."""

    def __init__(self) -> None:
        self._oldest: tuple[int, dt.datetime] | None = None

    def look(self, session: Session, now: dt.datetime) -> Iterator[Sample]:
        """Never more than the truth, and less by no more than the pause between two looks."""
        count = session.scalar(select(func.count()).select_from(OutboxRow)) or 0
        oldest = session.scalar(select(func.min(OutboxRow.seq)))
        if oldest is None:
            self._oldest = None
        elif self._oldest is None or self._oldest[0] != oldest:
            self._oldest = oldest, now
        age = (now - self._oldest[1]).total_seconds() if self._oldest else 0.0
        yield Sample(of.OUTBOX_WAITING, count)
        yield Sample(of.OUTBOX_AGE, max(age, 0.0))


def waits(session: Session, now: dt.datetime) -> Iterator[Sample]:
    """What waits to be followed or sent."""
    changes = select(func.count(), func.min(IncidentChange.at))
    yield from _waits(session, changes, (of.REACTIONS_WAITING, of.REACTIONS_AGE), now)
    due = select(func.count(), func.min(Notification.due_at)).where(Notification.due_at <= now)
    yield from _waits(session, due, (of.NOTIFICATIONS_DUE, of.NOTIFICATIONS_AGE), now)


def letters(session: Session) -> Iterator[Sample]:
    """Refused messages that are nobody's past yet."""
    settled = DeadLetter.outcome.in_(("stored", "known", "nothing")) | DeadLetter.outcome.startswith(GIVEN_UP)
    query = (
        select(DeadLetter.source, func.count())
        .where(DeadLetter.outcome.is_(None) | ~settled)
        .group_by(DeadLetter.source)
    )
    found = {"mqtt": 0, "http": 0, "broker": 0, "bus": 0} | _counts(session, query)
    for source, count in found.items():
        yield Sample(of.LETTERS_OPEN, count, {"source": source})


def devices(session: Session) -> Iterator[Sample]:
    """How many there are in each state, by compound."""
    state = case(
        (DeviceStatus.last_seen.is_(None), "unheard"), (DeviceStatus.online.is_(True), "online"), else_="away"
    )
    query = (
        select(Device.compound, state, func.count())
        .join_from(Device, DeviceStatus, DeviceStatus.device_id == Device.id, isouter=True)
        .where(Device.enabled.is_(True), Device.retired_at.is_(None))
        .group_by(Device.compound, state)
    )
    found: dict[str, dict[str, int]] = {}
    for compound, name, count in session.execute(query):
        found.setdefault(compound, {"online": 0, "away": 0, "unheard": 0})[name] = count
    for compound, states in sorted(found.items()):
        for name, count in states.items():
            yield Sample(of.DEVICES, count, {"compound": compound, "state": name})
    wrong = (
        select(Device.compound, func.sum(case((DeviceStatus.clock_off.is_(True), 1), else_=0)))
        .join_from(Device, DeviceStatus, DeviceStatus.device_id == Device.id)
        .where(Device.enabled.is_(True), Device.retired_at.is_(None))
        .group_by(Device.compound)
    )
    for compound, count in session.execute(wrong):
        yield Sample(of.CLOCKS_OFF, count or 0, {"compound": compound})


def attendance(session: Session, clock: Clock) -> Iterator[Sample]:
    """Who evaluates rules. Compounds that nobody ever evaluated have no row, and are not counted."""
    now = leases.database_time(clock)(session)
    free = session.scalar(select(func.count()).select_from(AlertLease).where(AlertLease.until <= now))
    yield Sample(of.COMPOUNDS_FREE, free or 0)
    yield Sample(of.EVALUATORS, len(leases.members(session, now)))


def offset(session: Session, now: Callable[[], dt.datetime]) -> Iterator[Sample]:
    """Half of what the question took is taken off, as time services do."""
    if session.get_bind().dialect.name != "postgresql":
        yield Sample(of.CLOCK_OFFSET, 0.0)
        return
    before = now()
    there = session.scalar(select(func.clock_timestamp()))
    after = now()
    if there is not None:
        yield Sample(of.CLOCK_OFFSET, (there - (before + (after - before) / 2)).total_seconds())


def copies(session: Session, now: dt.datetime) -> Iterator[Sample]:
    """Age of the last backup that holds, and how high the audit log stands."""
    since = session.scalar(select(func.max(BackupRun.verified_at)))
    since = since or session.scalar(select(func.min(User.created_at)))
    yield Sample(of.BACKUP_AGE, (now - since).total_seconds() if since else 0.0)
    yield Sample(of.AUDIT_HEIGHT, session.scalar(select(func.max(AuditRow.seq))) or 0)


def size(session: Session) -> Iterator[Sample]:
    """What the database takes on disk; without its log in SQLite."""
    if session.get_bind().dialect.name == "postgresql":
        taken = session.scalar(text("SELECT pg_database_size(current_database())"))
        yield Sample(of.DATABASE_SIZE, taken or 0)
        return
    pages = session.scalar(text("PRAGMA page_count")) or 0
    yield Sample(of.DATABASE_SIZE, pages * (session.scalar(text("PRAGMA page_size")) or 0))


def galleries(session: Session) -> Iterator[Sample]:
    """Stored templates and whose they are, by compound."""
    query = select(FaceTemplate.compound, func.count(), func.count(FaceTemplate.person.distinct())).group_by(
        FaceTemplate.compound
    )
    for compound, templates, people in session.execute(query):
        labels = {"compound": compound or ""}
        yield Sample(of.TEMPLATES, templates, labels)
        yield Sample(of.GALLERY_PEOPLE, people, labels)


def drift(session: Session, now: dt.datetime) -> Iterator[Sample]:
    """Whether named faces look less like their templates than a week ago; nothing of too few."""
    last = _scores(session, now - DAY, now)
    week = _scores(session, now - 8 * DAY, now - DAY)
    for compound, (count, mean) in sorted(last.items()):
        before_count, before = week.get(compound, (0, 0.0))
        if min(count, before_count) >= FEWEST:
            yield Sample(of.DRIFT, mean - before, {"compound": compound})
    uncertain = (
        select(
            DecisionRow.compound,
            func.count(),
            func.sum(case((DecisionRow.outcome == FaceOutcome.UNCERTAIN.value, 1), else_=0)),
        )
        .where(DecisionRow.subject_kind == "face", DecisionRow.at >= now - DAY, DecisionRow.at < now)
        .group_by(DecisionRow.compound)
    )
    for compound, count, unsure in session.execute(uncertain):
        if count >= FEWEST:
            yield Sample(of.UNCERTAIN, (unsure or 0) / count, {"compound": compound})


def answers(session: Session, compounds: Iterable[str], now: dt.datetime) -> Iterator[Sample]:
    """What operators' answers say of names, by compound; it reads months of them."""
    for compound in compounds:
        whole = list(tallies(session, compound, now - WINDOW, now).items())
        shares = [score(looked, tally).false_of_judged for looked, tally in whole]
        judged = sum(share.of for share in shares)
        yield Sample(of.JUDGED, judged, {"compound": compound})
        if judged:
            false = sum(share.count for share in shares)
            yield Sample(of.FALSE_MATCHES, false / judged, {"compound": compound})


def pieces(session: Session, now: dt.datetime) -> Iterator[Sample]:
    """How far ahead the event tables are divided, and what fell beside."""
    found = partitions.state(session, now)
    if found is not None:
        yield Sample(of.PIECES_AHEAD, found.ahead)
        yield Sample(of.PIECES_REST, found.rest)


def _scores(session: Session, since: dt.datetime, until: dt.datetime) -> dict[str, tuple[int, float]]:
    query = (
        select(DecisionRow.compound, func.count(), func.avg(DecisionRow.score))
        .where(
            DecisionRow.subject_kind == "face",
            DecisionRow.outcome == FaceOutcome.IDENTIFIED.value,
            DecisionRow.score.is_not(None),
            DecisionRow.at >= since,
            DecisionRow.at < until,
        )
        .group_by(DecisionRow.compound)
    )
    return {compound: (count, float(mean)) for compound, count, mean in session.execute(query)}


def _waits(
    session: Session, query: Select[*tuple[Any, ...]], measures: tuple[Measure, Measure], now: dt.datetime
) -> Iterator[Sample]:
    count, oldest = session.execute(query).one()
    yield Sample(measures[0], count)
    yield Sample(measures[1], max((now - oldest).total_seconds(), 0.0) if oldest else 0.0)


def _counts(session: Session, query: Select[*tuple[Any, ...]]) -> dict[str, int]:
    return {name: count for name, count in session.execute(query)}  # noqa: C416 - rows are not pairs to mypy
