"""Dead letters that somebody wants read again: history of when they came first."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from sqlalchemy import select

from bus.deadletters import STORED, DeadLetter
from ingest.arrival import Arrival
from ingest.batch import Batch
from ingest.rows import Prepared
from storage import Database

AT_ONCE: Final = 100
"""Letters of one commit: live messages wait for it."""
MOST_BYTES: Final = 16 * 1024 * 1024


class Letter(msgspec.Struct, frozen=True):
    """A dead letter as the message that it was."""

    id: str
    arrival: Arrival


class Outcome(msgspec.Struct, frozen=True):
    """What became of it: stored, known, nothing, or the reason why it is refused still."""

    code: str
    events: tuple[str, ...] = ()


def waiting(database: Database) -> list[Letter]:
    """The next letters that somebody has asked for, the oldest messages first."""
    letters: list[Letter] = []
    size = 0
    with database.read() as session:
        rows = session.scalars(
            select(DeadLetter)
            .where(DeadLetter.replay_asked_at.is_not(None))
            .order_by(DeadLetter.received_at, DeadLetter.id)
            .limit(AT_ONCE)
            .execution_options(yield_per=10)
        )
        for row in rows:
            letters.append(_letter(row))
            size += row.size
            if size > MOST_BYTES:
                break
    return letters


def judge(batch: Batch, fresh: Sequence[Prepared]) -> Iterator[Outcome]:
    """What became of each arrival of a batch of letters."""
    new = {prepared.message.id for prepared in (*fresh, *batch.amendments)}
    for position, settled in enumerate(batch.settled):
        events = tuple(dict.fromkeys(batch.became.get(position, ())))
        if settled.refused is not None:
            yield Outcome(settled.refused, events)
        elif events:
            yield Outcome(STORED if new.intersection(events) else "known", events)
        else:
            yield Outcome("nothing")


def _letter(row: DeadLetter) -> Letter:
    context = row.context
    return Letter(
        row.id,
        Arrival(
            row.topic,
            # Erased meanwhile: nothing can be read in it, which is then its outcome.
            row.raw or b"",
            row.received_at,
            retained=bool(context.get("retained")),
            signed_in=context.get("signed_in"),
            content_type=context.get("content_type"),
            late=True,
        ),
    )
