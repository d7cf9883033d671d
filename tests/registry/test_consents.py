import datetime as dt

import pytest
from sqlalchemy import select

from registry.errors import MissingError, RefusedError
from registry.faces import consents, templates
from registry.faces.templates import ConsentMissingError, Embedding
from registry.models import ConsentPurpose, ConsentWording, FaceTemplate, GivenBy, Person
from storage import Vault
from tests.support.compound import COMPOUND, ELSEWHERE, settle_in

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
FACE = ConsentPurpose.FACE_ACCESS
VECTOR = b"\x01\x02\x03\x04"


@pytest.fixture
def people(either_database):
    """An adult with a child of nine, a child of thirteen, a youth, and a stranger elsewhere."""
    settle_in(either_database)
    with either_database.write() as session:
        session.add(Person(id="parent", compound=COMPOUND, name="甲"))
        session.add(Person(id="stranger", compound=ELSEWHERE, name="乙"))
        session.flush()
        session.add_all(
            [
                Person(id="child", compound=COMPOUND, name="丙", under_14=True, guardian="parent"),
                # The birthday is today in Shanghai, where the day began eight hours ago.
                Person(
                    id="teen",
                    compound=COMPOUND,
                    name="丁",
                    under_14=True,
                    turns_14_on=dt.date(2026, 11, 24),
                    guardian="parent",
                ),
                Person(id="youth", compound=COMPOUND, name="戊", turns_14_on=dt.date(2025, 1, 1)),
            ]
        )
    return either_database


def give(session, person_id, given_by=GivenBy.SELF, *, at=NOON, wording="I agree.", guardian=None):
    return consents.give(
        session,
        session.get_one(Person, person_id),
        FACE,
        wording=wording,
        channel="counter",
        given_by=given_by,
        at=at,
        guardian=guardian,
    )


def enrol(session, person_id, at=NOON):
    person = session.get_one(Person, person_id)
    return templates.enrol(session, person, Embedding("e", "1", 1, VECTOR, 0.9), media_id=None, at=at)


def test_wording_is_kept_once_and_a_changed_one_is_another_consent(people):
    with people.write() as session:
        first, again = give(session, "parent"), give(session, "parent", at=NOON + dt.timedelta(1))
        changed = give(session, "parent", wording="I agree to more.", at=NOON + dt.timedelta(2))
    with people.read() as session:
        assert first.text_hash == again.text_hash != changed.text_hash
        assert sorted(session.scalars(select(ConsentWording.text))) == ["I agree to more.", "I agree."]
        assert consents.active(session, "parent", FACE).id == changed.id
        assert [c.id for c in consents.history(session, "parent")] == [first.id, again.id, changed.id]
        assert consents.wording_of(session, first) == "I agree."


def test_child_is_consented_for_by_the_guardian_that_the_registry_knows(people):
    with people.write() as session:
        with pytest.raises(consents.GuardianRequiredError):
            give(session, "child")
        assert give(session, "child", GivenBy.GUARDIAN).guardian == "parent"


@pytest.mark.parametrize(
    ("guardian", "error"),
    [
        ("child", RefusedError),
        ("teen", RefusedError),
        ("youth", RefusedError),
        ("stranger", MissingError),
        ("nobody", MissingError),
    ],
)
def test_guardian_is_a_registered_adult_of_the_compound(people, guardian, error):
    with people.write() as session, pytest.raises(error):
        give(session, "child", GivenBy.GUARDIAN, guardian=guardian)


def test_from_the_14th_birthday_on_a_guardian_does_not_suffice(people):
    eve = dt.datetime(2026, 11, 23, 15, 59, tzinfo=dt.UTC)  # 23:59 in Shanghai
    birthday = eve + dt.timedelta(minutes=1)
    with people.write() as session:
        give(session, "teen", GivenBy.GUARDIAN, at=eve)
        enrol(session, "teen", eve)
        with pytest.raises(ConsentMissingError):
            enrol(session, "teen", birthday)
        with pytest.raises(RefusedError, match="own_consent_required"):
            give(session, "teen", GivenBy.GUARDIAN, at=birthday)
        give(session, "teen", at=birthday)
        enrol(session, "teen", birthday)


def test_adult_agrees_for_the_own_face_alone_but_a_guardian_may_for_care(people):
    with people.write() as session:
        parent = session.get_one(Person, "parent")
        with pytest.raises(RefusedError, match="own_consent_required"):
            give(session, "youth", GivenBy.GUARDIAN, guardian="parent")
        given = consents.give(
            session,
            session.get_one(Person, "youth"),
            ConsentPurpose.ELDER_CARE,
            wording="I agree.",
            channel="counter",
            given_by=GivenBy.GUARDIAN,
            at=NOON,
            guardian=parent.id,
        )
    assert given.guardian == "parent"


def test_gallery_tells_children_by_their_birthday(people):
    with people.write() as session:
        for person_id, given_by in (("teen", GivenBy.GUARDIAN), ("youth", GivenBy.SELF)):
            give(session, person_id, given_by)
            enrol(session, person_id)
    with people.read() as session:
        on = {
            day: {e.person_id: e.under_14 for e in templates.gallery(session, COMPOUND, "e", "1", day)}
            for day in (dt.date(2026, 11, 23), dt.date(2026, 11, 24))
        }
    assert on[dt.date(2026, 11, 23)] == {"teen": True, "youth": False}
    assert on[dt.date(2026, 11, 24)] == {"teen": False, "youth": False}


def test_withdrawal_deletes_templates_and_moves_the_gallery(people):
    with people.write() as session:
        give(session, "parent")
        enrol(session, "parent")
    with people.write() as session:
        before = templates.revision(session, COMPOUND)
        assert consents.withdraw(session, session.get_one(Person, "parent"), FACE, NOON) == 1
        assert templates.revision(session, COMPOUND) == before + 1
        assert consents.active(session, "parent", FACE) is None
        with pytest.raises(ConsentMissingError):
            enrol(session, "parent")


def test_template_is_gone_from_every_copy_with_its_consents_key(people, vault: Vault):
    with people.write() as session:
        consent = give(session, "parent")
        template = enrol(session, "parent")
    assert template.embedding == VECTOR
    vault.shred([consent.id], NOON)
    with people.read() as session:
        # The row is what a restored backup would have.
        assert session.scalars(select(FaceTemplate)).one().embedding is None
        assert templates.gallery(session, COMPOUND, "e", "1") == []
        assert session.get_one(Person, "parent").name == "甲", "the person's own key is another one"


def test_erased_person_neither_consents_nor_is_enrolled(people):
    with people.write() as session:
        give(session, "parent")
        session.get_one(Person, "parent").erased_at = NOON
    with people.write() as session:
        with pytest.raises(RefusedError, match="person_erased"):
            give(session, "parent")
        with pytest.raises(RefusedError, match="person_erased"):
            enrol(session, "parent")
