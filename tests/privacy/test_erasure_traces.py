"""After an erasure the files themselves hold nothing of the person, and neither does the log."""

import datetime as dt
import logging

import pytest
import structlog

from devices import enrolments
from privacy import erasures
from privacy.models import ErasureKind
from registry.models import Person
from tests.support import resident as world
from tests.support.resident import NOON, TRACES

LATER = NOON + dt.timedelta(seconds=5)
# What lies open in the log and in what operators wrote; the rest is sealed from the first day on.
OPEN = {"plate", "card", "name", "phone"}


def traces(folder) -> set[str]:
    content = b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    lower = content.lower()
    return {name for name, trace in TRACES.items() if trace in content or trace.lower() in lower}


@pytest.fixture
def logged():
    lines: list[str] = []
    structlog.configure(
        processors=[structlog.processors.JSONRenderer(ensure_ascii=False)],
        logger_factory=lambda *_: _Lines(lines),
    )
    return lines


class _Lines:
    def __init__(self, lines):
        self._lines = lines

    def msg(self, message):
        self._lines.append(message)

    debug = info = warning = error = critical = exception = msg


def test_files_hold_no_trace_once_the_erasure_is_complete(tmp_path, database, media, vault, logged, caplog):
    caplog.set_level(logging.DEBUG)
    world.build(database, media)
    assert traces(tmp_path) == OPEN, "the search finds what is there"
    sealed = {
        "person": next(iter(_column(database, "SELECT name FROM people WHERE id = 'p1'"))),
        "vector": next(iter(_column(database, "SELECT embedding FROM face_templates WHERE person = 'p1'"))),
    }
    with database.write() as session:
        person = session.get_one(Person, "p1")
        erasures.order(session, person, ErasureKind.PERSON, at=NOON, by="u")
        for device in ("cam-1", "door-1"):
            (todo,) = enrolments.pending(session, device, NOON)
            enrolments.answer(session, todo.id, "deleted", NOON)
    erasures.follow_up(database, media, vault, LATER)
    assert traces(tmp_path) == set()
    assert logged, "it says what it does"
    told = "\n".join([*logged, *caplog.messages]).encode()
    assert not [name for name, trace in TRACES.items() if trace in told]
    for what, bytes_ in sealed.items():
        assert not [p for p in tmp_path.rglob("*") if p.is_file() and bytes_ in p.read_bytes()], what


def _column(database, statement):
    with database.read() as session:
        return session.connection().exec_driver_sql(statement).scalars().all()
