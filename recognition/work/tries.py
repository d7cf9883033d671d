"""Events whose looks end without a word: what kills workers is known again by those that live on.

The first look writes nothing. Whoever is given an event again writes down, before it looks,
that it does, and takes it away when the look has ended. So what is written down at the third
look has taken two workers with it. A look that ends with an error has said a word: it does not
count, also where the database was away when it had to be written down.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from recognition.models import RecognitionTry
from storage import Clock, Database

MOST: Final = 2
"""Workers that one event may take."""

_OWED: Final = 1000
"""Corrections that are kept while the database is away; beyond that it is the oldest that goes."""


@dataclass(frozen=True, slots=True)
class Look:
    """A look at an event; `deaths` of the looks before ended without a word."""

    event_id: str
    subject_kind: str
    deaths: int
    written: bool

    @property
    def too_many(self) -> bool:
        """Whether this event is not to be looked at any more."""
        return self.deaths >= MOST


class Tries:
    """One a worker; not for several threads at once. All methods raise what the database raises."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # What could not be written down when the database was away.
        self._owed: dict[tuple[str, str], int] = {}

    def begin(self, event_id: str, subject_kind: str, attempt: int) -> Look:
        """Before a look; `attempt` counts from 1 how often the bus has given the event to somebody."""
        if attempt < 2:
            return Look(event_id, subject_kind, 0, written=False)
        with self._database.write() as session:
            self._pay(session)
            row = session.get(RecognitionTry, (event_id, subject_kind))
            # Nothing written down: the first look ended without a word.
            deaths = row.tries if row is not None else 1
            if deaths < MOST:
                self._put(session, event_id, subject_kind, deaths + 1)
        self._owed.clear()
        return Look(event_id, subject_kind, deaths, written=deaths < MOST)

    def ended(self, look: Look) -> None:
        """After a look that decided, or after the event was given up."""
        if look.written or look.too_many:
            key = RecognitionTry.event_id == look.event_id, RecognitionTry.subject_kind == look.subject_kind
            with self._database.write() as session:
                session.execute(delete(RecognitionTry).where(*key))

    def failed(self, look: Look) -> None:
        """After a look that ended with an error: it will come again, and this one does not count."""
        try:
            with self._database.write() as session:
                self._pay(session)
                self._put(session, look.event_id, look.subject_kind, look.deaths)
        except SQLAlchemyError:
            self._owed[look.event_id, look.subject_kind] = look.deaths
            while len(self._owed) > _OWED:
                del self._owed[next(iter(self._owed))]
        else:
            self._owed.clear()

    def _pay(self, session: Session) -> None:
        for (event_id, subject_kind), deaths in self._owed.items():
            self._put(session, event_id, subject_kind, deaths)

    def _put(self, session: Session, event_id: str, subject_kind: str, tries: int) -> None:
        dialect = sqlite if self._database.is_sqlite else postgresql
        now = self._clock.now()
        values = {"event_id": event_id, "subject_kind": subject_kind, "tries": tries, "last_at": now}
        session.execute(
            dialect.insert(RecognitionTry)
            .values(values)
            .on_conflict_do_update(
                index_elements=["event_id", "subject_kind"], set_={"tries": tries, "last_at": now}
            )
        )
