"""An unknown face told again: for minutes, in memory, by a number that says nothing; off by default."""

import datetime as dt

import pytest

from privacy import assessment
from privacy.retention import RetentionPolicy
from recognition.work.policy import RecognitionPolicy
from recognition.work.strangers import LONGEST, MOST, Strangers
from ringward.recognitionside import UnassessedError, refuse_unassessed
from tests.support.compound import COMPOUND
from tests.support.passages import STRANGER, Street, vector

MINUTES = RecognitionPolicy(stranger_token=dt.timedelta(minutes=10))


@pytest.fixture
def street(database, media, ring, clock):
    made = Street(database, media, ring, clock, MINUTES)
    made.lives("ann", 500)
    return made


def token(sightings):
    (sighting,) = sightings
    assert sighting.outcome == "unknown"
    return sighting.token


def test_nobody_is_remembered_unless_somebody_wants_it(database, media, ring, clock):
    street = Street(database, media, ring, clock)
    street.lives("ann", 500)
    assert token(street.sees(STRANGER)) is None
    assert len(street.worker._strangers) == 0


def test_stranger_has_one_number_at_every_camera_and_another_stranger_another(street):
    first = token(street.sees(STRANGER))
    assert len(first) == 16
    assert token(street.sees(STRANGER + 100, "hall-1")) == first
    assert token(street.sees(STRANGER - 1200, "hall-2")) not in {first, None}


def test_what_waits_for_more_pictures_has_its_number_when_it_is_told(street):
    first = token(street.sees(STRANGER))
    assert street.sees(STRANGER + 50, "hall-1", track="t") == []
    assert token(street.waits(1)) == first


def test_number_is_given_to_nobody_who_is_known_or_uncertain(street):
    told = [*street.sees(510), *street.sees(900, "hall-1"), *street.sees(None, "hall-2")]
    assert [one.token for one in told] == [None] * 3
    assert len(street.worker._strangers) == 0


def test_stranger_is_forgotten_after_the_time_though_seen_again_in_between(street):
    first = token(street.sees(STRANGER))
    street.clock.advance(9 * 60)
    assert token(street.sees(STRANGER)) == first
    street.clock.advance(60)
    assert len(street.worker._strangers) == 0
    assert token(street.sees(STRANGER)) != first


def test_stranger_goes_with_the_process(street):
    first = token(street.sees(STRANGER))
    street.worker.close()
    assert len(street.worker._strangers) == 0
    street.clock.advance(10)
    assert token(street.sees(STRANGER, worker=street.new_worker())) != first


def test_number_is_in_no_row_but_the_message_on_its_way(street, tmp_path):
    first = token(street.sees(STRANGER))
    (row,) = street.decisions()
    assert first not in {str(value) for value in vars(row).values()}
    assert not any(first in str(value) for value in (row.evidence, row.candidates, row.quality))
    face = vector(STRANGER).tobytes()
    for file in (one for one in tmp_path.rglob("*") if one.is_file()):
        assert face not in file.read_bytes()


def test_as_many_are_remembered_as_fit_and_none_for_longer_than_an_hour(clock):
    with pytest.raises(ValueError, match="an hour"):
        Strangers(clock, LONGEST + dt.timedelta(seconds=1))
    strangers = Strangers(clock, LONGEST)
    for number in range(MOST + 5):
        strangers.see(f"s{number}", "c", "e", vector(5 * number), 0.001)
    assert len(strangers) == MOST
    assert strangers.token("s4") is None
    assert strangers.token(f"s{MOST}") is not None
    # Of another compound or another engine nobody is the same.
    strangers.see("other compound", "d", "e", vector(5 * MOST), 0.001)
    strangers.see("other engine", "c", "f", vector(5 * MOST), 0.001)
    known = {strangers.token(one) for one in (f"s{MOST}", "other compound", "other engine")}
    assert len(known) == 3


def test_it_is_refused_without_an_assessment_that_names_it(street, foundation):
    ground = foundation(street.database, stranger_token_minutes=10)
    with pytest.raises(UnassessedError) as refused:
        refuse_unassessed(ground)
    assert refused.value.compounds == [COMPOUND]

    def assess(text):
        with street.database.write() as session:
            assessment.make(
                session, COMPOUND, RetentionPolicy(), assessment=text, made_by="u", at=street.clock.now()
            )

    assess("为何需要: …")
    with pytest.raises(UnassessedError):
        refuse_unassessed(ground)
    assess("stranger_token_minutes = 10: …")
    refuse_unassessed(ground)
    # A newer assessment that no longer names it ends it.
    assess("…")
    with pytest.raises(UnassessedError):
        refuse_unassessed(ground)
    refuse_unassessed(foundation(street.database, stranger_token_minutes=0))


@pytest.fixture
def foundation():
    class Settings:
        def __init__(self, minutes):
            self.stranger_token_minutes = minutes

    class Ground:
        def __init__(self, database, minutes):
            self.database, self.settings = database, Settings(minutes)

    return lambda database, *, stranger_token_minutes: Ground(database, stranger_token_minutes)
