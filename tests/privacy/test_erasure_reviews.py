"""Whoever is erased goes from reviews, ratings, lists and hand-overs too; what was signed still stands."""

import datetime as dt

import pytest
from sqlalchemy import select

from alerts.handover.models import Handover, HandoverEntry
from alerts.handover.rules import Side
from alerts.handover.writing import make, sign, whole, write
from alerts.incidents.actor import Actor
from alerts.review.models import IncidentRating, IncidentReview, Measure, Need, NeedIncident
from alerts.review.rules import AlertVerdict, Cause, MeasureState, RaterKind
from privacy import erasures
from privacy.models import ErasureKind
from privacy.retention import RetentionPolicy, run
from registry.models import Person
from storage import audit, new_id
from tests.support import resident as world
from tests.support.compound import COMPOUND
from tests.support.resident import NAME, NOON, PHONE

LATER = NOON + dt.timedelta(hours=1)
WORDS = f"{NAME}说灯坏了，电话{PHONE}"


@pytest.fixture
def ids(either_database, media):
    return world.build(either_database, media)


@pytest.fixture
def said(either_database, ids):
    with either_database.write() as session:
        session.add(
            IncidentReview(
                id="r",
                incident=ids["closed"],
                compound=COMPOUND,
                resolved_version=1,
                score=3,
                cause=Cause.LIGHTING,
                alert=AlertVerdict.RIGHT,
                lesson=WORDS,
                measure=True,
                reviewer="m",
                role="property_manager",
                at=NOON,
            )
        )
        for number, person in enumerate(("p1", "mate")):
            session.add(
                IncidentRating(
                    id=f"q-{person}",
                    incident=ids["closed"],
                    compound=COMPOUND,
                    resolved_version=1,
                    kind=RaterKind.HOUSEHOLD,
                    person=person,
                    token_hash=str(number),
                    invited_at=NOON,
                    expires_at=LATER,
                    score=2,
                    words="谢谢",
                    rated_at=NOON,
                )
            )
        session.add(Need(id="n", compound=COMPOUND, what=WORDS, author="m", at=NOON, version=1))
        session.flush()
        session.add(NeedIncident(need="n", incident=ids["closed"], compound=COMPOUND))
        session.add(
            Measure(
                id=new_id(),
                compound=COMPOUND,
                need="n",
                what=WORDS,
                note=WORDS,
                team="t",
                due_at=NOON,
                blocking=False,
                state=MeasureState.DONE,
                author="m",
                at=NOON,
                ended_at=NOON,
                reminded=0,
                version=1,
            )
        )
        row = make(session, COMPOUND, Actor("u1", "operator"), NOON)
        write(session, COMPOUND, row.id, WORDS, Actor("u1", "operator"), NOON)
        sign(session, COMPOUND, row.id, Side.OUTGOING, Actor("u1", "operator"), NOON)
        return row.id


def test_nothing_that_was_said_names_whoever_was_erased_and_what_was_signed_stands(
    either_database, media, vault, said
):
    with either_database.write() as session:
        erasures.order(session, session.get_one(Person, "p1"), ErasureKind.PERSON, at=NOON, by="u")
    erasures.follow_up(either_database, media, vault, LATER)
    with either_database.read() as session:
        texts = [
            *session.scalars(select(IncidentReview.lesson)),
            *session.scalars(select(Need.what)),
            *session.scalars(select(Measure.what)),
            *session.scalars(select(Measure.note)),
            *session.scalars(select(HandoverEntry.text)),
        ]
        assert len(texts) == 5
        for text in texts:
            assert "灯坏了" in text
            assert NAME not in text
            assert PHONE not in text
        mine, other = (session.get_one(IncidentRating, f"q-{one}") for one in ("p1", "mate"))
        assert (mine.person, mine.words, mine.score) == (None, None, 2)
        assert (other.person, other.words) == ("mate", "谢谢")
        assert whole(session, session.get_one(Handover, said)).stands
        assert audit.verify(session) is None


def test_they_go_when_their_time_is_over_and_what_is_still_to_be_done_stays(
    either_database, media, vault, said
):
    with either_database.write() as session:
        session.add(Need(id="open", compound=COMPOUND, what="x", author="m", at=NOON, version=1))
        session.get_one(Need, "n").ended_at = NOON
    run(
        either_database,
        media,
        vault,
        RetentionPolicy(),
        NOON + dt.timedelta(days=4 * 365),
        sleep=lambda _s: None,
    )
    with either_database.read() as session:
        for table in (IncidentReview, IncidentRating, NeedIncident, Measure, Handover, HandoverEntry):
            assert session.scalars(select(table)).all() == [], table
        assert session.scalars(select(Need.id)).all() == ["open"]
