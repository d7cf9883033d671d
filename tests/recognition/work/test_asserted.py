"""A terminal's own match: accepted where it says enough, checked against the registry, looked at else."""

import datetime as dt

import pytest
from sqlalchemy import delete, select, update

from devices import enrolments
from devices.enrolments import TerminalEnrolment
from registry.faces.consents import withdraw
from registry.models import ConsentPurpose, Person
from ringward.replay import replay
from storage.events import EventRow
from tests.support.compound import COMPOUND
from tests.support.passages import STRANGER, Street, Terminal


class Terminals(Street):
    def knows(self, device, person):
        """The person's face lies on the terminal; the reference that it is told."""
        with self.database.write() as session:
            row = enrolments.note(session, COMPOUND, device, person, face=True, at=self.clock.now())
            return row.ref

    def matches(self, ref, face=STRANGER, device="hall-1", *, score=0.95, liveness=True, **more):
        kind = more.pop("kind", "face.identified")
        terminal = Terminal(ref, score, liveness)
        return self.sees(face, device, kind=kind, terminal=terminal, **more)


@pytest.fixture
def street(database, media, ring, clock):
    made = Terminals(database, media, ring, clock)
    made.lives("ann", 500)
    made.lives("ben", 1500, "d2")
    return made


@pytest.fixture
def ref(street):
    return street.knows("hall-1", "ann")


@pytest.mark.parametrize("score", [0.8, 0.99, None])
def test_match_with_liveness_and_a_good_score_is_accepted_and_no_picture_is_looked_at(street, ref, score):
    """The picture shows somebody else: nobody looks."""
    (sighting,) = street.matches(ref, score=score)
    assert (sighting.outcome, sighting.person_id, sighting.household_id) == ("identified", "ann", "h-ann")
    assert (sighting.reasons, sighting.score) == (("asserted_by_device",), None)
    assert sighting.valid_until == sighting.at + street.policy.deadline
    (row,) = street.decisions()
    assert (row.engine, row.engine_version, row.gallery, row.frames) == (
        "device",
        None,
        "terminal:hall-1",
        None,
    )
    assert row.evidence == {"device_match": {"person_ref": ref, "score": score, "liveness": True}}
    assert street.engine.looks == 0


@pytest.mark.parametrize(
    ("face", "outcome", "person", "reason"),
    [
        (510, "identified", "ann", "device_match_agrees"),
        (1510, "uncertain", None, "device_match_differs"),
        (STRANGER, "uncertain", None, "device_match_differs"),
    ],
)
@pytest.mark.parametrize("word", [{"score": 0.79}, {"liveness": None}])
def test_match_that_says_too_little_is_looked_at(street, ref, word, face, outcome, person, reason):
    (sighting,) = street.matches(ref, face, **word)
    assert (sighting.outcome, sighting.person_id) == (outcome, person)
    assert reason in sighting.reasons
    assert street.engine.looks == 1


def test_difference_is_recorded_with_what_both_say(street, ref):
    (sighting,) = street.matches(ref, 1510, score=0.5)
    assert sighting.reasons == ("device_match_differs", "within_threshold")
    (row,) = street.decisions()
    assert row.evidence["device_match"]["person_ref"] == ref
    assert row.candidates[0]["person_id"] == "ben"
    # And it stays so when a further picture of the passage shows the other clearly.
    assert street.sees(1505, "hall-1") == []
    assert {row.outcome for row in street.decisions()} == {"uncertain"}


def test_member_of_the_household_agrees_with_the_terminal(street, ref):
    street.lives("mia", 520, household="h-ann")
    (sighting,) = street.matches(ref, 510, score=0.5)
    assert (sighting.outcome, sighting.household_id) == ("household", "h-ann")
    assert sighting.reasons == ("same_household", "device_match_agrees")


def test_face_that_the_terminal_calls_dead_names_nobody(street, ref):
    (sighting,) = street.matches(ref, 500, liveness=False)
    assert (sighting.outcome, sighting.reasons) == ("uncertain", ("not_live",))
    (sighting,) = street.matches(ref, 500, liveness=False, pictures=())
    assert (sighting.outcome, sighting.reasons) == ("uncertain", ("not_live", "no_picture"))


def test_camera_may_always_be_looked_at(street, ref):
    street.view("hall-1", policy="always")
    (sighting,) = street.matches(ref, 1510)
    assert (sighting.outcome, "device_match_differs" in sighting.reasons) == ("uncertain", True)
    assert street.engine.looks == 1


@pytest.mark.parametrize(
    ("word", "reasons"),
    [
        ({"score": 0.79}, ("device_score_low", "asserted_by_device")),
        ({"liveness": None}, ("liveness_not_asserted", "asserted_by_device")),
        ({"liveness": False}, ("not_live", "asserted_by_device")),
    ],
)
def test_camera_may_never_be_looked_at(street, ref, word, reasons):
    street.view("hall-1", policy="never")
    (sighting,) = street.matches(ref, 510, **word)
    assert (sighting.outcome, sighting.person_id, sighting.reasons) == ("uncertain", None, reasons)
    assert [one.person_id for one in street.matches(ref, 510)] == ["ann"]
    assert [(one.outcome, one.reasons) for one in street.sees(510, "hall-1")] == [
        ("uncertain", ("device_no_match", "asserted_by_device"))
    ]
    assert [one.outcome for one in street.sees(510, "hall-1", kind="face.unknown")] == ["unknown"]
    assert street.engine.looks == 0


def test_cameras_own_low_score_goes_first(street, ref):
    street.view("hall-1", low_score=0.98)
    (sighting,) = street.matches(ref, 510, score=0.95)
    assert "device_match_agrees" in sighting.reasons


def test_child_is_named_by_no_terminal_either(street, ref):
    with street.database.write() as session:
        session.execute(update(Person).where(Person.id == "ann").values(under_14=True))
    (sighting,) = street.matches(ref)
    assert (sighting.outcome, sighting.person_id, sighting.valid_until) == ("uncertain", None, None)
    assert sighting.reasons == ("under_14", "asserted_by_device")


def test_whoever_has_withdrawn_is_not_named_by_a_terminal_that_has_not_forgotten_yet(street, ref):
    with street.database.write() as session:
        withdraw(session, session.get_one(Person, "ann"), ConsentPurpose.FACE_ACCESS, at=street.clock.now())
    (sighting,) = street.matches(ref)
    assert (sighting.outcome, sighting.person_id) == ("uncertain", None)
    assert "device_match_differs" in sighting.reasons
    street.clock.advance(10)
    street.view("hall-1", policy="never")
    (sighting,) = street.matches(ref)
    assert sighting.reasons == ("asserted_without_consent", "asserted_by_device")


def test_reference_that_is_forgotten_between_report_and_look_names_nobody(street, ref):
    message = street.passes(STRANGER, "hall-1", kind="face.identified", terminal=Terminal(ref), pictures=())
    assert message.match.person_id == "ann"
    with street.database.write() as session:
        session.execute(delete(TerminalEnrolment))
    street.worker.handle(message)
    (sighting,) = street.told()
    assert (sighting.outcome, sighting.reasons) == (
        "uncertain",
        ("asserted_not_enrolled", "asserted_by_device", "no_picture"),
    )


def test_erased_person_is_nobody(street, ref):
    message = street.passes(STRANGER, "hall-1", kind="face.identified", terminal=Terminal(ref), pictures=())
    with street.database.write() as session:
        session.execute(update(Person).where(Person.id == "ann").values(erased_at=street.clock.now()))
    street.worker.handle(message)
    assert street.told()[0].reasons[0] == "asserted_nobody"


def test_reference_of_another_terminal_is_nobodys(street, ref):
    (sighting,) = street.matches(ref, STRANGER, "hall-2")
    assert (sighting.outcome, sighting.person_id) == ("unknown", None)
    assert "device_match_not_trusted" in sighting.reasons
    (sighting,) = street.matches("not-ours", 510)
    assert (sighting.outcome, sighting.person_id) == ("identified", "ann")
    assert "device_match_not_trusted" in sighting.reasons


@pytest.mark.parametrize(("kind", "outcome"), [("face.unknown", "unknown"), ("face.uncertain", "uncertain")])
def test_terminal_that_sends_no_picture_is_believed_that_it_knew_nobody(street, kind, outcome):
    (sighting,) = street.sees(None, "hall-1", kind=kind, pictures=())
    assert (sighting.outcome, sighting.reasons) == (outcome, ("asserted_by_device", "no_picture"))
    # With a picture we look ourselves: it may be a resident whom that terminal does not know.
    street.clock.advance(10)
    (sighting,) = street.sees(1510, "hall-1", kind=kind)
    assert (sighting.outcome, sighting.person_id) == ("identified", "ben")


def test_weak_match_without_a_picture_is_uncertain(street, ref):
    (sighting,) = street.matches(ref, score=0.3, pictures=())
    assert (sighting.outcome, sighting.reasons) == (
        "uncertain",
        ("device_score_low", "asserted_by_device", "no_picture"),
    )


def test_match_that_comes_late_is_history(street, ref):
    (sighting,) = street.matches(ref, late=True)
    assert (sighting.outcome, sighting.late, sighting.valid_until) == ("identified", True, None)


def test_person_travels_with_the_message_and_is_not_stored_with_the_event(street, ref):
    message = street.passes(STRANGER, "hall-1", kind="face.identified", terminal=Terminal(ref))
    assert message.match.person_id == "ann"
    with street.database.read() as session:
        (event,) = session.scalars(select(EventRow).where(EventRow.id == message.id))
        assert "person_id" not in event.body["match"]
    since = street.clock.now() - dt.timedelta(minutes=1)
    (again,) = [one for one in replay(street.database, COMPOUND, since) if one.id == message.id]
    assert again == message
