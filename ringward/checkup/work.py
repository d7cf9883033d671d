"""The database at work: its schema, what waits in it, who is there, and whether the audit log is whole."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bus.deadletters import DeadLetter
from ringward.checkup.finding import Finding
from ringward.measures import database as measures
from ringward.measures import definitions as of
from ringward.settings import Settings
from storage import Database, audit, migrate, partitions
from storage.audit import AuditRow
from storage.events import OutboxRow
from storage.leases import RoleLease

LOOK_AGAIN_S: Final = 1.0
ROWS_MOST: Final = 200_000
"""A longer audit log is walked by `ringward audit verify` and the keeper: this is to be done in seconds."""

CLOCK_OFF_S: Final = 1.0
LETTERS_MANY: Final = 500
AHEAD_FEWEST: Final = 2


def schema(database: Database) -> Finding:
    """Whether this version may work in it."""
    found = migrate.standing(database)
    seen = f"at {found.at or 'none'}, this version's is {found.head}"
    if found.is_beyond:
        return Finding("schema", False, seen, "A newer version has been here: start that one.")
    advice = "`ringward migrate` brings it up to date, also while the version before works."
    return Finding("schema", not found.is_behind, seen, advice)


def findings(
    database: Database,
    loaded: Settings,
    now: Callable[[], dt.datetime],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Finding]:
    """Of a database whose schema is right."""
    del loaded
    yield outbox(database, sleep)
    with database.read() as session:
        yield from waits(session, now())
        yield from letters(session)
        yield from devices(session)
        yield clock(session, now)
        yield from pieces(session, now())
        yield from roles(session, now)
        yield chain(session)


def outbox(database: Database, sleep: Callable[[float], None]) -> Finding:
    """Its rows have no times: what is there at two looks has waited for the pause between them."""
    first, _ = _oldest(database)
    if first is None:
        return Finding("outbox", True, "empty")
    sleep(LOOK_AGAIN_S)
    second, count = _oldest(database)
    advice = "Is there a process with the role `relay`, and does the bus answer? The messages are safe here."
    seen = (
        f"{count} messages wait, the oldest for more than {LOOK_AGAIN_S:.0f} s"
        if second == first
        else "moves"
    )
    return Finding("outbox", second != first, seen, advice)


def _oldest(database: Database) -> tuple[int | None, int]:
    with database.read() as session:
        count = session.scalar(select(func.count()).select_from(OutboxRow)) or 0
        return session.scalar(select(func.min(OutboxRow.seq))), count


def waits(session: Session, now: dt.datetime) -> Iterator[Finding]:
    """What should have followed from incidents, and been sent."""
    found = {sample.measure: sample.value for sample in measures.waits(session, now)}
    advice = "Is there a process with the role `notify`? Its log says what it cannot do."
    for name, count, age in (
        ("reactions", of.REACTIONS_WAITING, of.REACTIONS_AGE),
        ("notifications", of.NOTIFICATIONS_DUE, of.NOTIFICATIONS_AGE),
    ):
        seen = f"{found[count]:.0f} wait" if found[count] else "none waits"
        if found[count]:
            seen += f", the oldest for {found[age]:.0f} s"
        yield Finding(name, found[age] <= 30, seen, advice)


def letters(session: Session) -> Iterator[Finding]:
    """How many refused messages nobody has looked at."""
    many = sum(int(sample.value) for sample in measures.letters(session))
    if many or session.scalar(select(DeadLetter.id).limit(1)) is not None:
        advice = "`ringward deadletters list` says why; mend the cause, then `ringward deadletters replay`."
        yield Finding("refused messages", many < LETTERS_MANY, f"{many} open", advice, grave=False)


def devices(session: Session) -> Iterator[Finding]:
    """By compound: who fell silent, and whose clock is wrong."""
    found: dict[str, dict[str, int]] = {}
    wrong: dict[str, int] = {}
    for sample in measures.devices(session):
        compound = sample.labels["compound"]
        if sample.measure is of.DEVICES:
            found.setdefault(compound, {})[sample.labels["state"]] = int(sample.value)
        else:
            wrong[compound] = int(sample.value)
    for compound, states in sorted(found.items()):
        whole, away, off = sum(states.values()), states["away"], wrong.get(compound, 0)
        seen = f"{states['online']} of {whole} there"
        if states["unheard"]:
            seen += f", {states['unheard']} never heard"
        if off:
            seen += f", {off} with a wrong clock"
        advice = (
            "`ringward device list` says which; look for what they have in common: a switch, a line, power."
        )
        yield Finding(
            f"devices of {compound}", away * 10 <= whole and not off, seen, advice, grave=away * 2 > whole
        )


def clock(session: Session, now: Callable[[], dt.datetime]) -> Finding:
    """The database's beside this machine's."""
    offset = next(iter(measures.offset(session, now))).value
    seen = (
        "is this machine's"
        if session.get_bind().dialect.name != "postgresql"
        else f"{offset:+.3f} s off this one's"
    )
    advice = "One of the two machines has no time service: `chronyc tracking` on both."
    return Finding("clock of the database", abs(offset) <= CLOCK_OFF_S, seen, advice, grave=False)


def pieces(session: Session, now: dt.datetime) -> Iterator[Finding]:
    """Weeks that are made ahead, where events lie in such."""
    state = partitions.state(session, now)
    if state is None:
        return
    seen = f"{state.pieces} pieces, {state.ahead} weeks ahead, {state.rest} events in none"
    advice = "The keeper makes them: is one running? Events are taken all the same, and are dearer to delete."
    yield Finding(
        "weeks of events", state.ahead >= AHEAD_FEWEST and not state.rest, seen, advice, grave=False
    )


def roles(session: Session, now: Callable[[], dt.datetime]) -> Iterator[Finding]:
    """Who has each role of which one works at a time, and whether somebody stands by."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    at = (session.scalar(select(func.clock_timestamp())) if postgresql else None) or now()
    for row in session.scalars(select(RoleLease).order_by(RoleLease.role, RoleLease.instance)):
        name = f"role {row.role}" + (f" of {row.instance}" if row.instance else "")
        if row.until <= at:
            advice = f"Start a process with the role `{row.role}`: it takes it within seconds."
            yield Finding(name, False, f"nobody, since {row.until:%Y-%m-%d %H:%M:%S} UTC", advice)
            continue
        stands_by = row.waiting is not None and row.waiting_until is not None and row.waiting_until > at
        yield Finding(
            name, True, f"{row.holder}, epoch {row.epoch}, {'one stands by' if stands_by else 'alone'}"
        )


def chain(session: Session) -> Finding:
    """Walks the audit log where it is short enough."""
    rows = session.scalar(select(func.count()).select_from(AuditRow)) or 0
    if rows > ROWS_MOST:
        return Finding("audit chain", True, f"{rows} rows; `ringward audit verify` walks so many")
    broken = audit.verify(session)
    seen = f"{rows} rows hold" if broken is None else f"broken at row {broken}"
    advice = "Change nothing, copy the disk, and call whoever answers for data protection."
    return Finding("audit chain", broken is None, seen, advice)
