"""Impact assessment (L-14): facts that the machine makes, versions, and what has changed since."""

import pytest
from sqlalchemy import insert, select

from devices.models import Device, DeviceKind
from privacy import assessment
from privacy.models import Disclosure, PiaReport
from privacy.retention import NO_CLASS, RetentionPolicy
from recognition.calibration import DEFAULT_FPIR, shipped
from registry.errors import StaleEditError
from registry.models import Consent
from tests.support import keeping
from tests.support.compound import COMPOUND, ELSEWHERE, device
from tests.support.keeping import DAY, NOW

POLICY = RetentionPolicy()


@pytest.fixture
def settled(either_database):
    keeping.settle_in(either_database)
    keeping.add(either_database, keeping.person(), keeping.person("p2"))
    return either_database


def consent(consent_id, purpose="face_access", withdrawn=None, compound=COMPOUND):
    return Consent(
        id=consent_id,
        compound=compound,
        person="p1",
        purpose=purpose,
        text_hash="0" * 64,
        channel="counter",
        given_by="self",
        given_at=NOW,
        withdrawn_at=withdrawn,
    )


def facts(database, policy=POLICY, compound=COMPOUND):
    with database.read() as session:
        return assessment.facts(session, compound, policy, NOW)


def make(database, policy=POLICY):
    with database.write() as session:
        return assessment.make(session, COMPOUND, policy, assessment="needed", made_by="a", at=NOW).version


def test_facts_say_what_is_kept_of_whom_for_how_long_and_who_gets_it(settled):
    shown = keeping.event(NOW)
    keeping.add(settled, consent("c1"), consent("c2", withdrawn=NOW), shown, keeping.decision(shown))
    now = facts(settled)
    assert now["purposes"] == ["face_access"]
    assert now["counts"]["consents"] == {"face_access": {"active": 1, "withdrawn": 1}}
    assert now["counts"]["rows"]["people"] == 2
    assert now["counts"]["rows"]["events"] == 1
    assert now["retention_days"]["pictures"] == 30
    assert now["recognition"]["target_fpir"] == DEFAULT_FPIR
    assert now["recognition"]["identify_cap"] == shipped().identify_cap
    assert set(now["recognition"]["measured_error_rates"]) == {"dlib everybody", "dlib east_asian"}
    assert now["counts"]["outcomes"] == {"face.unknown": 1}
    kinds = {(one["zone"], one["kind"]): one["devices"] for one in now["devices"]}
    assert kinds == {("gate", "face_camera"): 1, ("gate", "plate_camera"): 1, ("b1", "door"): 1}
    assert facts(settled, compound=ELSEWHERE)["counts"]["rows"]["events"] == 0


def test_facts_hold_no_data_of_persons(settled):
    keeping.add(settled, consent("c1"))
    text = str(facts(settled))
    assert "王小明" not in text
    assert "10012345678" not in text
    assert "p1" not in text


def test_more_of_the_same_is_no_reason_for_a_new_assessment(settled):
    keeping.add(settled, consent("c1"))
    make(settled)
    keeping.add(settled, keeping.event(NOW), consent("c2"), keeping.person("p3"))
    with settled.read() as session:
        last = assessment.last(session, COMPOUND)
        now = assessment.facts(session, COMPOUND, POLICY, NOW + DAY)
        assert assessment.changed(last.facts, now) == []
        assert assessment.facts_hash(now) == last.facts_hash


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("purposes", lambda: consent("c2", "elder_care")),
        ("devices", lambda: device("cam-9", DeviceKind.SCENE_CAMERA)),
        (
            "recipients",
            lambda: Disclosure(
                id="d",
                compound=COMPOUND,
                requester_org="station",
                document_no="1",
                reason="r",
                scope={},
                from_at=NOW - DAY,
                to_at=NOW,
                applicant="a",
                applied_at=NOW,
                state="delivered",
            ),
        ),
    ],
)
def test_new_purpose_device_or_recipient_makes_a_new_assessment_due(settled, section, change):
    keeping.add(settled, consent("c1"))
    make(settled)
    keeping.add(settled, change())
    with settled.read() as session:
        last = assessment.last(session, COMPOUND)
        now = assessment.facts(session, COMPOUND, POLICY, NOW)
        assert assessment.changed(last.facts, now) == [section]
        assert assessment.facts_hash(now) != last.facts_hash


def test_longer_retention_makes_a_new_assessment_due(settled):
    make(settled)
    longer = facts(settled, RetentionPolicy(pictures=60))
    with settled.read() as session:
        assert assessment.changed(assessment.last(session, COMPOUND).facts, longer) == ["retention_days"]


def test_device_that_is_off_looks_at_nobody(settled):
    with settled.write() as session:
        for row in session.scalars(select(Device)):
            row.enabled = False
    assert facts(settled)["devices"] == []


def test_versions_count_up_by_compound_and_retention_never_deletes_one(settled):
    assert [make(settled), make(settled)] == [1, 2]
    with settled.read() as session:
        assert session.scalars(select(PiaReport.version).order_by(PiaReport.version)).all() == [1, 2]
    assert "pia_reports" in NO_CLASS


def test_two_who_make_a_version_at_once_do_not_make_it_twice(settled, monkeypatch):
    facts_of = assessment.facts

    def meanwhile(session, *args):
        # On SQLite a second writer waits for the first, so there the row comes by the same hand.
        if settled.is_sqlite:
            session.execute(insert(PiaReport), [raced()])
        else:
            with settled.write() as other:
                other.execute(insert(PiaReport), [raced()])
        return facts_of(session, *args)

    monkeypatch.setattr(assessment, "facts", meanwhile)
    with pytest.raises(StaleEditError):
        make(settled)


def raced():
    return {
        "id": "raced",
        "compound": COMPOUND,
        "version": 1,
        "made_at": NOW,
        "made_by": "b",
        "facts_hash": "",
        "facts": {},
        "assessment": "",
    }
