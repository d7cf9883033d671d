"""Decisions and answers at one gate, by the handful."""

import datetime as dt
from dataclasses import dataclass

from recognition.feedback import answers
from recognition.models import DecisionRow, SightingAnswer, Verdict
from storage import Database, new_id
from tests.support.compound import COMPOUND

NOW = dt.datetime(2026, 11, 23, 7, 15, tzinfo=dt.UTC)
THRESHOLD = 0.5


def decision(outcome="identified", **changes):
    fields = {
        "sighting_id": new_id(),
        "event_id": new_id(),
        "compound": COMPOUND,
        "subject_kind": "face",
        "outcome": outcome,
        "person_id": "p1" if outcome == "identified" else None,
        "score": 0.4,
        "threshold": THRESHOLD,
        "engine": "dlib",
        "engine_version": "19.24",
        "candidates": [],
        "reasons": [],
        "evidence": {},
        "milliseconds": 5,
        "at": NOW - dt.timedelta(hours=1),
        "decided_at": NOW - dt.timedelta(hours=1),
        "device": "cam-1",
    }
    return DecisionRow(**fields | changes)


@dataclass
class Gate:
    """The database with its one gate; whatever it does is a commit of its own."""

    database: Database

    def passed(self, outcome="identified", times=1, **changes):
        """Writes passages; returns the last one's sighting."""
        rows = [decision(outcome, **changes) for _ in range(times)]
        last = rows[-1].sighting_id
        with self.database.write() as session:
            session.add_all(rows)
        return last

    def answered(self, verdict, outcome="identified", times=1, by="op", at=NOW, **changes):
        """Passages that one operator has answered alike."""
        rows = [decision(outcome, **changes) for _ in range(times)]
        with self.database.write() as session:
            session.add_all(rows)
            session.flush()
            for row in rows:
                answers.give(session, row, Verdict(verdict), by=by, at=at)
        return rows[-1].sighting_id

    def answer(self, sighting, verdict, *, by="op", at=NOW, **more):
        """What one operator answers to one passage."""
        with self.database.write() as session:
            row = answers.find(session, COMPOUND, sighting)
            return answers.give(session, row, Verdict(verdict), by=by, at=at, **more)

    def all_answers(self):
        with self.database.read() as session:
            return {
                (row.sighting_id, row.answered_by): row.verdict for row in session.query(SightingAnswer).all()
            }
