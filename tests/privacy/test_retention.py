"""Retention (L-09): what is over goes with proof, what is held stays, and a killed run goes on."""

import hashlib
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident
from privacy import holds
from privacy.holds import HoldSubject
from privacy.models import DeletionProof, KeptPicture, PassageCount
from privacy.retention import Pace, RetentionPolicy, plan, run
from privacy.retention.passages import Trail
from privacy.retention.proofs import digest
from recognition.feedback import answers
from recognition.models import DecisionRow, SightingAnswer, Verdict
from registry.models import Compound, Credential, Vehicle
from storage import Database, MediaStore, Vault
from storage.events import EventRow
from tests.support import keeping
from tests.support.compound import COMPOUND, ELSEWHERE
from tests.support.keeping import DAY, NOW

POLICY = RetentionPolicy()
# Every batch takes longer than that, so all of them are as small as they get.
TINY = Pace(1e-9, 1.0)


@pytest.fixture
def settled(either_database: Database) -> Database:
    keeping.settle_in(either_database)
    keeping.add(either_database, keeping.person(), keeping.person("p2"))
    return either_database


@pytest.fixture
def keep(settled: Database, media: MediaStore, vault: Vault):
    def go(at=NOW, policy=POLICY, **options):
        return run(settled, media, vault, policy, at, **{"sleep": lambda _s: None} | options)

    return go


def events_left(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(EventRow.id)))


def proofs(database: Database, name: str) -> list[DeletionProof]:
    with database.read() as session:
        found = session.scalars(select(DeletionProof).where(DeletionProof.retention_class == name)).all()
        session.expunge_all()
        return list(found)


def hold(database: Database, kind: HoldSubject, subject: str, *, at=NOW, days=30):
    with database.write() as session:
        return holds.apply(
            session,
            COMPOUND,
            kind,
            subject,
            reason="inquiry",
            document_no=None,
            ends_at=at + days * DAY,
            applicant="somebody",
            at=at,
        )


def test_passages_go_after_their_time_with_their_decisions_and_leave_counts_by_local_day(settled, keep):
    # 16:30 UTC is half past midnight of the next day in Shanghai.
    old = [keeping.event(NOW.replace(hour=16, minute=30) - n * DAY) for n in (181, 181, 200)]
    young = keeping.event(NOW - 179 * DAY)
    keeping.add(settled, *old, young, *(keeping.decision(one) for one in (*old, young)))
    outcome = keep()
    assert events_left(settled) == {young.id}
    assert outcome.gone["passages", COMPOUND] == outcome.gone["decisions", COMPOUND] == 3
    with settled.read() as session:
        assert session.scalars(select(DecisionRow.event_id)).all() == [young.id]
        counts = {row.day: row.count for row in session.scalars(select(PassageCount))}
    local_days = [(NOW - (n - 1) * DAY).date().isoformat() for n in (181, 200)]
    assert counts == {local_days[0]: 2, local_days[1]: 1}
    (proof,) = proofs(settled, "passages")
    expected = hashlib.sha256("".join(f"{i}\n" for i in sorted(one.id for one in old)).encode()).hexdigest()
    assert (proof.count, proof.digest, proof.cutoff) == (3, expected, NOW - 180 * DAY)


def test_answers_of_operators_go_with_the_decision_that_they_answer(settled, keep):
    old, young = (keeping.event(NOW - n * DAY) for n in (181, 179))
    decisions = [keeping.decision(one, person_id="p1") for one in (old, young)]
    keeping.add(settled, old, young, *decisions)
    with settled.write() as session:
        for row in decisions:
            for operator in ("a", "b"):
                answers.give(session, session.merge(row), Verdict.NO_MATCH, by=operator, at=NOW)
    outcome = keep()
    assert outcome.failed == []
    assert outcome.gone["decisions", COMPOUND] == 1
    with settled.read() as session:
        left = set(session.scalars(select(SightingAnswer.sighting_id)))
        assert left == set(session.scalars(select(DecisionRow.sighting_id)))
        assert len(left) == 1


def test_counts_add_up_over_runs(settled, keep):
    first, second = keeping.event(NOW - 181 * DAY), keeping.event(NOW - 181 * DAY)
    keeping.add(settled, first)
    keep()
    keeping.add(settled, second)
    keep()
    with settled.read() as session:
        assert session.scalars(select(PassageCount.count)).all() == [2]


def test_pictures_go_after_30_days_and_their_rows_stay(settled, keep, media):
    old, young = media.put(b"old").media_id, media.put(b"young").media_id
    passed, passing = keeping.event(NOW - 31 * DAY, pictures=[old]), keeping.event(NOW, pictures=[young])
    keeping.add(settled, passed, passing)
    keep()
    assert (media.exists(old), media.exists(young)) == (False, True)
    assert events_left(settled) == {passed.id, passing.id}
    (proof,) = [one for one in proofs(settled, "pictures") if one.count]
    assert (proof.count, proof.digest) == (1, digest([old]))


def test_faces_that_nobody_knows_have_a_time_of_their_own(settled, keep, media):
    known, unknown = media.put(b"known").media_id, media.put(b"unknown").media_id
    both = [keeping.event(NOW - 40 * DAY, pictures=[one]) for one in (known, unknown)]
    seen = [keeping.decision(both[0], person_id="p1"), keeping.decision(both[1])]
    keeping.add(settled, *both, *seen)
    keep(policy=RetentionPolicy(pictures=60, unknown_faces=30))
    assert (media.exists(known), media.exists(unknown)) == (True, False)
    keep(at=NOW + 21 * DAY, policy=RetentionPolicy(pictures=60, unknown_faces=30))
    assert not media.exists(known)


def test_picture_that_two_events_share_stays_until_both_are_over(settled, keep, media):
    shared = media.put(b"a black frame").media_id
    first, second = (keeping.event(NOW - n * DAY, pictures=[shared]) for n in (31, 29))
    elsewhere = keeping.event(NOW - 20 * DAY, pictures=[shared], compound=ELSEWHERE)
    keeping.add(settled, first, second, elsewhere)
    keep()
    assert media.exists(shared)
    keep(at=NOW + 5 * DAY)
    assert media.exists(shared), "the other compound's event still shows it"
    keep(at=NOW + 11 * DAY)
    assert not media.exists(shared)


def test_picture_of_an_amendment_goes_with_those_of_its_event(settled, keep, media):
    first, second = media.put(b"first").media_id, media.put(b"second").media_id
    old, young = (keeping.event(NOW - n * DAY, pictures=[first], revision=1) for n in (31, 29))
    keeping.add(settled, old, keeping.amendment(old, pictures=[second]), young)
    keep()
    assert (media.exists(first), media.exists(second)) == (True, False), "the young one shows the first too"


def test_picture_that_an_amendment_still_shows_stays(settled, keep, media):
    shared = media.put(b"a black frame").media_id
    old, young = keeping.event(NOW - 31 * DAY, pictures=[shared]), keeping.event(NOW - DAY, revision=1)
    keeping.add(settled, old, young, keeping.amendment(young, pictures=[shared]))
    keep()
    assert media.exists(shared)
    keep(at=NOW + 31 * DAY)
    assert not media.exists(shared)


def test_picture_of_a_late_record_has_its_time_from_when_it_came(settled, keep, media):
    one = media.put(b"late").media_id
    # The device was cut off for months; what it kept comes long after this time was gone through.
    keep()
    late = keeping.event(NOW - 100 * DAY, pictures=[one])
    late.late, late.received_at = True, NOW + DAY
    keeping.add(settled, late)
    keep(at=NOW + 30 * DAY)
    assert media.exists(one)
    keep(at=NOW + 32 * DAY)
    assert not media.exists(one)


@pytest.mark.parametrize("state", [State.RAISED, State.RESOLVED])
def test_evidence_of_an_open_incident_stays_with_its_pictures_until_the_incident_is_over(
    settled, keep, media, state
):
    picture = media.put(b"evidence").media_id
    shown = keeping.event(NOW - 200 * DAY, pictures=[picture])
    about = keeping.incident(shown.corrected_time, state)
    keeping.add(settled, about, shown, keeping.decision(shown), keeping.evidence(about, [shown]))
    keep()
    assert events_left(settled) == {shown.id}
    assert media.exists(picture)
    with settled.write() as session:
        session.get_one(Incident, about.id).state = State.CLOSED
    keep()
    assert events_left(settled) == set()
    assert not media.exists(picture)


def test_held_incident_keeps_itself_and_its_evidence_and_lets_go_when_released(settled, keep, media):
    picture = media.put(b"evidence").media_id
    shown = keeping.event(NOW - 1200 * DAY, pictures=[picture])
    about = keeping.incident(shown.corrected_time)
    keeping.add(settled, about, shown, keeping.evidence(about, [shown]))
    held = hold(settled, HoldSubject.INCIDENT, about.id)
    keep()
    with settled.read() as session:
        assert session.get(Incident, about.id) is not None
        assert session.scalars(select(Evidence)).all() != []
    assert events_left(settled) == {shown.id}
    assert media.exists(picture)
    with settled.write() as session:
        holds.release(session, COMPOUND, held.id, NOW + DAY)
    keep(at=NOW + DAY)
    with settled.read() as session:
        assert session.get(Incident, about.id) is None
        assert session.scalars(select(Evidence)).all() == []
    assert events_left(settled) == set()
    assert not media.exists(picture)


@pytest.mark.parametrize("state", [state for state in State if state.is_open])
def test_thrown_object_is_kept_until_it_is_closed_whatever_its_pictures_time_was(settled, keep, media, state):
    """R-C07: which floor it came from is found out later, with the picture."""
    picture = media.put(b"a falling bottle").media_id
    fell = keeping.event(NOW - 200 * DAY, kind="video.parabolic", pictures=[picture])
    about = keeping.incident(fell.corrected_time, state, rule="R-C07", kind="object.thrown", severity=2)
    keeping.add(settled, about, fell, keeping.evidence(about, [fell]))
    keep()
    assert (media.exists(picture), events_left(settled)) == (True, {fell.id})
    with settled.write() as session:
        session.get_one(Incident, about.id).state = State.FALSE_ALARM
    keep()
    assert (media.exists(picture), events_left(settled)) == (False, set())


def test_hold_on_an_incident_that_was_merged_keeps_its_evidence_with_the_target(settled, keep, media):
    picture = media.put(b"evidence").media_id
    shown = keeping.event(NOW - 200 * DAY, pictures=[picture])
    target = keeping.incident(shown.corrected_time)
    source = keeping.incident(shown.corrected_time, State.MERGED, merged_into=target.id)
    moved = keeping.evidence(target, [shown])
    moved.moved_from = source.id
    keeping.add(settled, target, source, shown, moved)
    hold(settled, HoldSubject.INCIDENT, source.id)
    keep()
    assert (media.exists(picture), events_left(settled)) == (True, {shown.id})


def test_held_person_keeps_what_cameras_cards_and_gates_saw_of_them(settled, keep, vault):
    long_ago = NOW - 200 * DAY
    by_face, by_card, by_plate, by_terminal = (keeping.event(long_ago) for _ in range(4))
    by_card.body = {"credential": {"kind": "card", "ref": "00-aa 11"}, "pictures": []}
    by_terminal.body = {"match": {"person_ref": "p1"}, "pictures": []}
    others = keeping.event(long_ago, credential={"kind": "card", "ref": "other"})
    by_amendment = keeping.event(long_ago, kind="face.identified", revision=1)
    with settled.write() as session:
        session.add(Vehicle(id="v1", compound=COMPOUND, plate="云A12345", owner="p1"))
        card = Credential(id="c1", compound=COMPOUND, person="p1", kind="card", status="active")
        card.ref = "00AA11"
        session.add(card)
    keeping.add(
        settled,
        *(by_face, by_card, by_plate, by_terminal, others, by_amendment),
        keeping.amendment(by_amendment, credential={"kind": "card", "ref": "00AA11"}),
        keeping.decision(by_face, person_id="p1"),
        keeping.decision(by_plate, subject_kind="plate", vehicle_id="v1"),
        keeping.decision(others, person_id="p2"),
    )
    hold(settled, HoldSubject.PERSON, "p1")
    with settled.read() as session:
        assert session.scalar(select(func.count()).select_from(EventRow)) == 6
    keep()
    assert events_left(settled) == {by_face.id, by_card.id, by_plate.id, by_terminal.id, by_amendment.id}
    keep(at=NOW + 4 * DAY)
    assert events_left(settled) == set(), "nobody approved the hold"


def test_hold_that_comes_while_retention_runs_is_respected(settled, media, vault):
    """The application commits between a batch's choice and the next."""
    rows = [keeping.event(NOW - 200 * DAY + n * (DAY / 1000)) for n in range(500)]
    about = keeping.incident(NOW - 200 * DAY)
    last = rows[-1]
    keeping.add(settled, *rows, about, keeping.evidence(about, [last]))
    applied = []

    def other_does(_seconds):
        if not applied and len(events_left(settled)) < 500:
            applied.append(hold(settled, HoldSubject.INCIDENT, about.id))

    run(settled, media, vault, POLICY, NOW, pace=TINY, sleep=other_does)
    assert applied
    assert events_left(settled) == {last.id}


class Killed(BaseException):
    """The process ends here."""


def test_killed_run_goes_on_where_it_was_and_proofs_add_up(settled, media, vault):
    rows = [keeping.event(NOW - 200 * DAY + n * (DAY / 1000)) for n in range(400)]
    pictures = [media.put(b"%d" % n).media_id for n in range(20)]
    for row, picture in zip(rows, pictures, strict=False):
        row.body = {"pictures": [{"role": "face", "media_id": picture, "size": 1}]}
    keeping.add(settled, *rows)
    ids = {row.id for row in rows}
    steps = itertools.count()

    def killed_at(fatal):
        def sleep(_seconds):
            if next(steps) == fatal:
                raise Killed

        return sleep

    for fatal in (0, 3, 5, 9, 14):
        with pytest.raises(Killed):
            run(settled, media, vault, POLICY, NOW, pace=TINY, sleep=killed_at(fatal))
        through = {row.id for row in rows} - events_left(settled)
        assert sum(one.count for one in proofs(settled, "passages")) == len(through)
    run(settled, media, vault, POLICY, NOW, pace=TINY, sleep=lambda _s: None)
    assert events_left(settled) == set()
    # Each batch's ids are a stretch of time, so the digests can be checked against what there was.
    proved = sorted(proofs(settled, "passages"), key=lambda one: one.id)
    in_order = sorted(ids, key=lambda one: next(r.corrected_time for r in rows if r.id == one))
    for proof in proved:
        batch, in_order = in_order[: proof.count], in_order[proof.count :]
        assert proof.digest == digest(batch)
    assert in_order == []
    assert sum(one.count for one in proofs(settled, "pictures")) == 20
    assert not any(media.exists(one) for one in pictures)


def test_two_keepers_at_once_prove_each_row_once(settled, media, vault):
    rows = [keeping.event(NOW - 200 * DAY + n * (DAY / 1000)) for n in range(600)]
    keeping.add(settled, *rows, *(keeping.decision(row) for row in rows))
    failed = []

    def other(_seconds):
        # Between any two batches of the first, the second does all that is left.
        if len(events_left(settled)) < 600:
            failed.extend(run(settled, media, vault, POLICY, NOW, sleep=lambda _s: None).failed)

    first = run(settled, media, vault, POLICY, NOW, sleep=other)
    assert first.failed == failed == []
    assert events_left(settled) == set()
    for name in ("passages", "decisions"):
        assert sum(one.count for one in proofs(settled, name)) == 600
    with settled.read() as session:
        assert sum(session.scalars(select(PassageCount.count))) == 600


def test_rows_that_another_keeper_took_between_choosing_and_deleting_are_not_proved_twice(
    settled, media, vault, monkeypatch
):
    rows = [keeping.event(NOW - 200 * DAY + n * (DAY / 1000)) for n in range(50)]
    keeping.add(settled, *rows)
    choose = Trail._choose
    raced = []

    def chosen_by_both(self, session, scope, size):
        choice = choose(self, session, scope, size)
        if self.name == "passages" and not raced:
            raced.append(True)
            run(settled, media, vault, POLICY, NOW, sleep=lambda _s: None)
        return choice

    monkeypatch.setattr(Trail, "_choose", chosen_by_both)
    outcome = run(settled, media, vault, POLICY, NOW, sleep=lambda _s: None)
    assert raced
    assert outcome.failed == []
    assert outcome.gone["passages", COMPOUND] == 0
    assert sum(one.count for one in proofs(settled, "passages")) == 50


def test_picture_that_a_killed_run_deleted_is_proved_by_the_next(settled, media, vault, keep):
    picture = media.put(b"gone").media_id
    keeping.add(settled, keeping.event(NOW - 31 * DAY, pictures=[picture]))
    # Killed after the file and before the proof.
    media.delete(picture)
    keep()
    assert sum(one.count for one in proofs(settled, "pictures")) == 1


def test_class_that_fails_is_left_for_the_next_run_and_the_others_go_on(settled, vault, media, monkeypatch):
    picture = media.put(b"old").media_id
    shown = keeping.event(NOW - 200 * DAY, pictures=[picture])
    about = keeping.incident(NOW - 1200 * DAY)
    keeping.add(settled, shown, about)
    with monkeypatch.context() as broken:
        broken.setattr(media, "delete_all", lambda _ids: (_ for _ in ()).throw(OSError("the bucket is away")))
        outcome = run(settled, media, vault, POLICY, NOW, sleep=lambda _s: None)
    assert ("pictures", COMPOUND) in outcome.failed
    assert events_left(settled) == {shown.id}, "a row does not go before its picture"
    with settled.read() as session:
        assert session.get(Incident, about.id) is None
    assert run(settled, media, vault, POLICY, NOW, sleep=lambda _s: None).failed == []
    assert events_left(settled) == set()


def test_dry_run_counts_what_would_go_and_what_is_held_and_deletes_nothing(settled, keep, media):
    shown = [keeping.event(NOW - 200 * DAY, pictures=[media.put(b"%d" % n).media_id]) for n in range(3)]
    two = [media.put(b"two").media_id, media.put(b"more").media_id]
    young = keeping.event(NOW - 100 * DAY, pictures=two)
    keeping.add(settled, young)
    about = keeping.incident(NOW - 200 * DAY, State.RAISED)
    keeping.add(settled, *shown, about, keeping.evidence(about, shown[:1]))
    planned = {(one.retention_class, one.compound): one for one in plan(settled, POLICY, NOW)}
    assert (planned["passages", COMPOUND].count, planned["passages", COMPOUND].held) == (2, 1)
    assert (planned["pictures", COMPOUND].count, planned["pictures", COMPOUND].held) == (4, 1)
    assert planned["passages", ELSEWHERE].count == planned["pictures", ELSEWHERE].count == 0
    assert planned["passages", COMPOUND].cutoff == NOW - 180 * DAY
    assert len(events_left(settled)) == 4
    assert all(media.exists(one) for one in two)
    outcome = keep()
    assert (outcome.gone["passages", COMPOUND], outcome.gone["pictures", COMPOUND]) == (2, 4)
    again = {(one.retention_class, one.compound): one for one in plan(settled, POLICY, NOW)}
    for name in ("passages", "pictures"):
        assert (again[name, COMPOUND].count, again[name, COMPOUND].held) == (0, 1)


def test_one_compound_can_be_kept_alone(settled, keep):
    here, there = keeping.event(NOW - 200 * DAY), keeping.event(NOW - 200 * DAY, compound=ELSEWHERE)
    keeping.add(settled, here, there)
    keep(compounds=[COMPOUND], deployment=False)
    assert events_left(settled) == {there.id}


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
def test_retention_never_deletes_what_is_held_or_belongs_to_an_open_incident(database, media, vault, data):
    """And deletes everything else that is over, nothing that is not."""
    with database.write() as session:
        for table in (Evidence, Incident, DecisionRow, EventRow, KeptPicture, DeletionProof):
            session.execute(delete(table))
        session.execute(delete(holds.LegalHold))
        if session.get(Compound, COMPOUND) is None:
            session.add(Compound(id=COMPOUND, name=COMPOUND))
            session.flush()
            session.add(keeping.person())
    ages = data.draw(st.lists(st.integers(0, 400), min_size=1, max_size=12))
    shots = data.draw(st.lists(st.integers(0, 3), min_size=len(ages), max_size=len(ages)))
    pictures = [media.put(b"shot %d" % n).media_id for n in range(4)]
    shown = [keeping.event(NOW - n * DAY, pictures=[pictures[s]]) for n, s in zip(ages, shots, strict=True)]
    chosen = st.lists(st.integers(0, len(ages) - 1), max_size=3)
    matters = data.draw(st.lists(st.tuples(st.sampled_from(State), st.booleans(), chosen), max_size=4))
    by_person = set(data.draw(chosen))
    person_held = data.draw(st.booleans())
    kept = {shown[n].id for n in by_person} if person_held else set()
    keeping.add(database, *shown, *(keeping.decision(shown[n], person_id="p1") for n in by_person))
    for state, is_held, on in matters:
        about = keeping.incident(NOW - DAY, state)
        keeping.add(database, about, keeping.evidence(about, [shown[n] for n in on]))
        if is_held:
            hold(database, HoldSubject.INCIDENT, about.id)
        if is_held or state.is_open:
            kept |= {shown[n].id for n in on}
    if person_held:
        hold(database, HoldSubject.PERSON, "p1")
    run(database, media, vault, POLICY, NOW, pace=TINY, sleep=lambda _s: None)
    expected = {one.id for one, age in zip(shown, ages, strict=True) if one.id in kept or age <= 180}
    assert events_left(database) == expected
    needed = {
        pictures[shot]
        for one, age, shot in zip(shown, ages, shots, strict=True)
        if one.id in kept or age <= 30
    }
    named = {pictures[shot] for shot in shots}
    assert {one for one in named if media.exists(one)} == needed
