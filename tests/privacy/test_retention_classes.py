"""Each class of rows goes when its time is over, with what hangs on it; no table is forgotten."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from alerts.absences import CareAbsence
from alerts.duty.models import Responder, Shift, Team, TeamKind
from alerts.incidents.lifecycle import State
from alerts.incidents.models import (
    Evidence,
    Incident,
    IncidentAnswer,
    IncidentAside,
    IncidentMerge,
    MergeProposal,
    Transition,
)
from alerts.mutes import RuleMute
from alerts.plans.models import PlanStep
from alerts.rulebook.models import OperatingMode
from bus.deadletters import DeadLetter
from console.accounts.models import ApiToken, IdempotencyKey, SetupLink, User, UserSession
from devices.enrolments import DeleteOrder, OrderState
from privacy import holds
from privacy.models import Disclosure, Erasure, ErasureStep, LegalHold, SubjectRequest
from privacy.retention import CLASSES, NO_CLASS, RetentionPolicy, UnlawfulRetentionError, run
from registry.models import (
    Consent,
    Dwelling,
    FaceTemplate,
    ImportChange,
    ImportFault,
    ImportJob,
    PassUse,
    SituationNote,
    Unit,
    VisitorPass,
    WatchlistApplication,
    WatchlistEntry,
)
from registry.places.models import Building
from ringward import schema
from storage import Database, new_id
from storage.audit import AuditEntry, AuditRow, append, verify
from storage.vault import ShreddedError, seal_for
from tests.support import keeping
from tests.support.compound import COMPOUND
from tests.support.keeping import DAY, NOW

POLICY = RetentionPolicy()
YEARS_3 = 3 * 365


@pytest.fixture
def settled(either_database: Database) -> Database:
    keeping.settle_in(either_database)
    keeping.add(either_database, keeping.person(), keeping.person("p2"))
    return either_database


@pytest.fixture
def keep(settled, media, vault):
    return lambda at=NOW: run(settled, media, vault, POLICY, at, sleep=lambda _s: None)


def left(database, key):
    with database.read() as session:
        return set(session.scalars(select(key)))


def hold(database, kind, subject):
    with database.write() as session:
        holds.apply(
            session,
            COMPOUND,
            kind,
            subject,
            reason="inquiry",
            document_no=None,
            ends_at=NOW + 30 * DAY,
            applicant="somebody",
            at=NOW,
        )


def test_every_table_has_a_class_or_a_reason_why_none():
    emptied = [table for one in CLASSES for table in one.tables]
    assert len(emptied) == len(set(emptied)), "one class a table"
    assert set(emptied) | set(NO_CLASS) == set(schema.metadata.tables)
    assert not set(emptied) & set(NO_CLASS)
    assert all(len(reason) > 10 for reason in NO_CLASS.values())


@pytest.mark.parametrize(
    ("changes", "least"),
    [
        ({"pictures": 29}, 30),
        ({"unknown_faces": 29}, 30),
        ({"passages": 29}, 30),
        ({"incidents": 29}, 30),
        ({"audit": 1094}, 1095),
        ({"proofs": 1094}, 1095),
        ({"passes": 0}, 1),
        ({"pictures": 90, "passages": 60}, 90),
    ],
)
def test_policy_refuses_less_than_the_law_asks(changes, least):
    with pytest.raises(UnlawfulRetentionError) as refused:
        RetentionPolicy(**changes)
    assert refused.value.least == least


def test_what_was_merged_goes_with_what_it_is_part_of_and_a_hold_on_it_keeps_both(settled, keep):
    long_ago = NOW - (YEARS_3 + 1) * DAY
    targets = [keeping.incident(long_ago), keeping.incident(long_ago)]
    sources = [keeping.incident(long_ago, State.MERGED, merged_into=one.id) for one in targets]
    keeping.add(settled, *targets, *sources)
    for target, source in zip(targets, sources, strict=True):
        merge = IncidentMerge(
            id=new_id(), compound=COMPOUND, target=target.id, source=source.id, actor="a", at=NOW, before={}
        )
        proposal = MergeProposal(
            id=new_id(), compound=COMPOUND, first=target.id, second=source.id, reason="cluster_near", at=NOW
        )
        answer = IncidentAnswer(
            id=new_id(), incident=target.id, compound=COMPOUND, actor="a", role="r", answer="match", at=NOW
        )
        done = PlanStep(
            incident=target.id,
            step="call",
            compound=COMPOUND,
            plan="p",
            state="done",
            actor="a",
            role="r",
            at=NOW,
        )
        aside = IncidentAside(
            incident=target.id,
            compound=COMPOUND,
            actor="a",
            at=NOW,
            until=NOW,
            reason="answer_awaited",
            severity=3,
            signal_count=1,
        )
        keeping.add(settled, merge, proposal, answer, done, aside)
    hold(settled, holds.HoldSubject.INCIDENT, sources[0].id)
    keep()
    assert left(settled, Incident.id) == {targets[0].id, sources[0].id}
    assert left(settled, IncidentMerge.target) == {targets[0].id}
    for column in (MergeProposal.first, IncidentAnswer.incident, PlanStep.incident, IncidentAside.incident):
        assert left(settled, column) == {targets[0].id}


def test_absence_from_home_is_nobodys_to_know_once_it_is_long_over(settled, keep):
    ends = {"old": NOW - 400 * DAY, "now": NOW + DAY}
    for name, end in ends.items():
        row = CareAbsence(id=name, compound=COMPOUND, person="p1", starts_at=end - DAY, ends_at=end)
        row.declared_by, row.declared_at = "u", end - DAY
        keeping.add(settled, row)
    keep()
    assert left(settled, CareAbsence.id) == {"now"}


def test_hit_that_is_part_of_another_incident_keeps_its_entry(settled, keep):
    """The incident is about a forced door on the whole; one of its signals was the hit."""
    over, other = entry("w1", ends=NOW - 100 * DAY), entry("w2", ends=NOW - 100 * DAY)
    about = keeping.incident(NOW, State.DISPATCHED, rule="R-B05", reason="door_forced")
    signal = keeping.evidence(about, [])
    signal.rule, signal.trace = "R-E09", {"args": {"entry_id": over.id}}
    keeping.add(settled, over, other, about, signal)
    keep()
    assert left(settled, WatchlistEntry.id) == {over.id}


def test_incident_goes_with_all_that_hangs_on_it_and_open_ones_never(settled, keep):
    long_ago = NOW - (YEARS_3 + 1) * DAY
    over, still_open, held, young = (
        keeping.incident(long_ago),
        keeping.incident(long_ago, State.RESOLVED),
        keeping.incident(long_ago, State.FALSE_ALARM, subject_kind="person", subject="p1"),
        keeping.incident(NOW - YEARS_3 * DAY),
    )
    keeping.add(settled, over, still_open, held, young)
    for one in (over, still_open, held, young):
        step = Transition(
            id=one.id, incident=one.id, version=1, to_state=one.state, actor="a", role="r", at=NOW
        )
        keeping.add(settled, keeping.evidence(one, []), step)
    hold(settled, holds.HoldSubject.PERSON, "p1")
    keep()
    stays = {still_open.id, held.id, young.id}
    assert left(settled, Incident.id) == stays
    assert left(settled, Evidence.incident) == stays
    assert left(settled, Transition.incident) == stays


def entry(entry_id, *, ends, lifted=None, **changes):
    fields = {
        "compound": COMPOUND,
        "subject_kind": "plate",
        "subject": "云A12345",
        "legal_basis": "police_order",
        "document_no": "2026-1",
        "applicant": "a",
        "approver": "b",
        "reason": "theft",
        "rings": ["entrance"],
        "starts_at": ends - 80 * DAY,
        "ends_at": ends,
        "lifted_at": lifted,
    }
    return WatchlistEntry(id=entry_id, **fields | changes)


def application(of, **changes):
    names = ("compound", "subject_kind", "subject", "legal_basis", "document_no", "applicant", "reason")
    fields = {name: getattr(of, name) for name in (*names, "rings", "starts_at", "ends_at")}
    return WatchlistApplication(
        id=f"for-{of.id}",
        **fields
        | {"applicant_role": "police", "applicant_org": "station", "applied_at": of.starts_at}
        | changes,
    )


def hit(of, at, state=State.CLOSED):
    return keeping.incident(at, state, rule="R-E09", reason="watchlist_hit", reason_args={"entry_id": of.id})


def test_watch_list_entry_goes_90_days_after_its_end_with_the_evidence_of_its_hits(settled, keep, media):
    old = entry("old", ends=NOW - 91 * DAY)
    lifted = entry("lifted", ends=NOW - 10 * DAY, lifted=NOW - 91 * DAY)
    kept = entry("kept", ends=NOW - 89 * DAY)
    renewal = entry("renewal", ends=NOW - 5 * DAY, renews="old")
    hits = {one.id: hit(one, NOW - 160 * DAY) for one in (old, lifted, kept)}
    shown = {
        name: keeping.event(NOW - 160 * DAY, pictures=[media.put(name.encode()).media_id]) for name in hits
    }
    keeping.add(settled, old, lifted, kept, renewal, *hits.values(), *shown.values())
    keeping.add(settled, application(old, state="approved", entry="old", decided_by="b"))
    keeping.add(settled, application(renewal, state="approved", entry="renewal", renews="old"))
    keeping.add(settled, *(keeping.evidence(hits[name], [shown[name]]) for name in hits))
    keep()
    assert left(settled, WatchlistEntry.id) == {"kept", "renewal"}
    assert left(settled, WatchlistApplication.id) == {"for-renewal"}
    assert left(settled, Evidence.incident) == {hits["kept"].id}
    assert left(settled, Incident.id) == {one.id for one in hits.values()}, (
        "that there was a hit stays 3 years"
    )
    assert media.exists(media.put(b"kept").media_id)
    there = [media.size(one.body["pictures"][0]["media_id"]) is not None for one in shown.values()]
    assert there == [False, False, True]


def test_watch_list_entry_stays_while_a_hit_of_it_is_open_or_held(settled, keep):
    open_hit, held_hit, held_person = (
        entry(name, ends=NOW - 200 * DAY) for name in ("open", "held", "of-p1")
    )
    held_person.subject_kind, held_person.subject = "person", "p1"
    about = hit(held_hit, NOW - 201 * DAY)
    keeping.add(settled, open_hit, held_hit, held_person, about, hit(open_hit, NOW - 201 * DAY, State.RAISED))
    hold(settled, holds.HoldSubject.INCIDENT, about.id)
    hold(settled, holds.HoldSubject.PERSON, "p1")
    keep()
    assert left(settled, WatchlistEntry.id) == {"open", "held", "of-p1"}


def test_applications_that_came_to_nothing_go_after_their_end(settled, keep):
    for_entry = entry("never", ends=NOW - 91 * DAY)
    refused, young = application(for_entry, state="refused"), application(for_entry, state="withdrawn")
    young.id, young.ends_at = "young", NOW
    keeping.add(settled, refused, young)
    keep()
    assert left(settled, WatchlistApplication.id) == {"young"}


def test_visitor_pass_goes_30_days_after_its_end_and_its_phone_cannot_be_read_from_a_backup(
    settled, keep, vault
):
    sealed = {}
    with settled.write() as session:
        for name, ended in (("old", 31), ("young", 29), ("held", 31)):
            sealed[name] = seal_for(name, "phone", "10012345678")
            session.add(
                VisitorPass(
                    id=name,
                    compound=COMPOUND,
                    kind="visitor",
                    host_person="p1" if name == "held" else "p2",
                    sealed_phone=sealed[name],
                    starts_at=NOW - 40 * DAY,
                    ends_at=NOW - ended * DAY,
                )
            )
            session.flush()
            session.add(PassUse(id=name, compound=COMPOUND, visitor_pass=name, at=NOW - 35 * DAY))
    hold(settled, holds.HoldSubject.PERSON, "p1")
    keep()
    assert left(settled, VisitorPass.id) == left(settled, PassUse.visitor_pass) == {"young", "held"}
    assert vault.open("young", "phone", sealed["young"]) == b"10012345678"
    with pytest.raises(ShreddedError):
        vault.open("old", "phone", sealed["old"])


def consent(consent_id, person="p1", withdrawn=None):
    return Consent(
        id=consent_id,
        compound=COMPOUND,
        person=person,
        purpose="face_access",
        text_hash="0" * 64,
        channel="counter",
        given_by="self",
        given_at=NOW - 2000 * DAY,
        withdrawn_at=withdrawn,
    )


def test_proof_of_consent_stays_three_years_after_it_was_withdrawn(settled, keep):
    long_ago = NOW - (YEARS_3 + 1) * DAY
    erased = keeping.person("p3")
    erased.erased_at = long_ago
    keeping.add(settled, erased)
    keeping.add(
        settled,
        consent("old", withdrawn=long_ago),
        consent("young", withdrawn=NOW - YEARS_3 * DAY),
        consent("standing"),
        consent("of-erased", "p3"),
    )
    keep()
    assert left(settled, Consent.id) == {"young", "standing"}
    keeping.add(settled, consent("held", withdrawn=long_ago))
    hold(settled, holds.HoldSubject.PERSON, "p1")
    keep()
    assert "held" in left(settled, Consent.id)


def test_requests_erasures_and_orders_go_three_years_after_they_ended(settled, keep):
    long_ago, lately = NOW - (YEARS_3 + 1) * DAY, NOW - YEARS_3 * DAY
    for name, ended in (("old", long_ago), ("young", lately), ("open", None)):
        keeping.add(
            settled,
            SubjectRequest(
                id=name,
                compound=COMPOUND,
                person="p2",
                kind="erasure",
                state="done",
                received_at=long_ago,
                due_at=long_ago,
                closed_at=ended,
                received_by="a",
            ),
            Erasure(
                id=name,
                compound=COMPOUND,
                person="p2",
                kind="person",
                request=name,
                ordered_at=long_ago,
                ordered_by="a",
                due_at=long_ago,
                completed_at=ended,
            ),
            ErasureStep(
                id=name, compound=COMPOUND, erasure=name, place="keys", state="confirmed", at=long_ago
            ),
            DeleteOrder(
                id=name,
                compound=COMPOUND,
                device="door-1",
                ref=name,
                state=OrderState.CONFIRMED if ended else OrderState.SENT,
                ordered_at=long_ago,
                answered_at=ended,
            ),
        )
    keep()
    for key in (SubjectRequest.id, Erasure.id, ErasureStep.id, DeleteOrder.id):
        assert left(settled, key) == {"young", "open"}, key


def test_import_can_be_taken_back_for_30_days_and_then_keeps_counts_only(settled, keep):
    for name, ended in (("old", NOW - 31 * DAY), ("young", NOW - 29 * DAY), ("ancient", NOW - 1100 * DAY)):
        keeping.add(
            settled,
            ImportJob(
                id=name,
                compound=COMPOUND,
                kind="people",
                content_hash="0",
                actor="a",
                dry_run=False,
                partly=True,
                state="applied",
                started_at=ended,
                ended_at=ended,
            ),
            ImportFault(compound=COMPOUND, job=name, row=2, code="bad_phone"),
            ImportChange(compound=COMPOUND, job=name, table="people", row_id="p1", before=b"sealed"),
        )
    keep()
    assert left(settled, ImportChange.job) == left(settled, ImportFault.job) == {"young"}
    assert left(settled, ImportJob.id) == {"old", "young"}


def test_records_of_what_was_decided_go_at_their_end(settled, keep):
    long_ago = NOW - (YEARS_3 + 1) * DAY
    for name, ended in (("old", long_ago), ("young", NOW - YEARS_3 * DAY)):
        keeping.add(
            settled,
            LegalHold(
                id=name,
                compound=COMPOUND,
                subject_kind="person",
                subject="p1",
                reason="inquiry",
                applicant="a",
                applied_at=ended - DAY,
                ends_at=ended,
            ),
            Disclosure(
                id=name,
                compound=COMPOUND,
                requester_org="station",
                document_no="1",
                reason="theft",
                scope={"kind": "plate", "id": "x"},
                from_at=ended - DAY,
                to_at=ended,
                applicant="a",
                applied_at=ended,
                state="delivered",
                delivered_at=ended,
            ),
            RuleMute(
                id=name,
                compound=COMPOUND,
                rule="R-B05",
                starts_at=ended - DAY,
                ends_at=ended,
                author="a",
                reason="lock",
            ),
            OperatingMode(
                id=name,
                compound=COMPOUND,
                mode="heightened",
                reason="break-ins",
                asked_by="a",
                asked_at=ended - DAY,
                starts_at=ended - DAY,
                ends_at=ended,
            ),
            SituationNote(
                id=name,
                compound=COMPOUND,
                place_kind="zone",
                place="gate",
                kind="hazard",
                text="hole",
                author="a",
                starts_at=ended - DAY,
                ends_at=ended if name == "old" else None,
            ),
        )
    keep()
    for key in (LegalHold.id, Disclosure.id, RuleMute.id, OperatingMode.id, SituationNote.id):
        assert left(settled, key) == {"young"}, key


def test_shifts_refused_messages_and_ways_in_that_ended_go_for_the_whole_deployment(settled, keep):
    keeping.add(settled, Team(id="t", compound=COMPOUND, name="t", kind=TeamKind.GUARD))
    keeping.add(settled, Responder(id="r", team="t", name="r"))
    keeping.add(settled, User(id="u", name="u", role="operator", created_at=NOW))
    long_ago = NOW - (YEARS_3 + 1) * DAY
    hour = dt.timedelta(hours=1)
    for name, shift, letter, end, asked in (
        ("old", long_ago, NOW - 31 * DAY, NOW - 40 * DAY, NOW - 25 * hour),
        ("young", NOW, NOW - 29 * DAY, NOW + hour, NOW - 23 * hour),
    ):
        keeping.add(
            settled,
            Shift(id=name, responder="r", starts_at=shift - hour, ends_at=shift),
            DeadLetter(
                id=name, source="mqtt", reason="bad_json", detail="", topic="", received_at=letter, size=0
            ),
            UserSession(
                token_hash=name,
                user="u",
                created_at=end - DAY,
                expires_at=end,
                last_seen=end,
                csrf_token="c",
                user_agent="",
            ),
            SetupLink(token_hash=name, user="u", expires_at=end),
            ApiToken(
                id=name, name=name, user="u", token_hash=name, scopes=[], expires_at=end, created_at=end - DAY
            ),
            IdempotencyKey(user="u", key=name, request_hash="", status=201, response={}, created_at=asked),
        )
    keep()
    for key in (
        Shift.id,
        DeadLetter.id,
        UserSession.token_hash,
        SetupLink.token_hash,
        ApiToken.id,
        IdempotencyKey.key,
    ):
        assert left(settled, key) == {"young"}, key


def test_old_end_of_the_audit_log_goes_and_the_chain_still_holds(settled, keep):
    with settled.write() as session:
        for n in (1200, 1100, 1096, 10, 1):
            append(session, NOW - n * DAY, AuditEntry("a", "r", "person.viewed", "review", "person:p1"))
    outcome = keep()
    assert outcome.gone["audit", None] == 3
    with settled.read() as session:
        assert verify(session) is None
        assert session.scalar(select(func.min(AuditRow.at))) == NOW - 10 * DAY
    assert keep().gone["audit", None] == 0


def template(person):
    made = FaceTemplate(
        id=f"of-{person}",
        compound=COMPOUND,
        person=person,
        consent=f"consent-{person}",
        engine="dlib",
        engine_version="1",
        dimension=1,
        created_at=NOW,
    )
    made.embedding = b"\0\0\0\0"
    return made


def test_face_of_somebody_who_has_left_is_erased_a_day_later_and_of_nobody_else(settled, keep, vault):
    from registry.models import Organisation, Residence, StaffLink

    keeping.add(settled, keeping.person("p3"), keeping.person("p4"), keeping.person("p5"))
    keeping.add(
        settled,
        Building(id="b", compound=COMPOUND, zone="b1", name="1", x=0, y=0, width=1, height=1),
        Unit(id="u", compound=COMPOUND, building="b", name="1"),
        Dwelling(id="d", compound=COMPOUND, unit="u", floor=1, room_no="1", state="occupied"),
        Organisation(id="o", compound=COMPOUND, name="shop", kind="shop"),
    )
    # 19:00 UTC on the 24th is the 25th in Shanghai; its yesterday is not yet over for a day.
    for person, until in (("p1", -2), ("p2", -1), ("p3", -2), ("p5", -2)):
        last = (NOW + dt.timedelta(hours=8) + until * DAY).date()
        keeping.add(
            settled,
            Residence(
                id=person,
                compound=COMPOUND,
                person=person,
                dwelling="d",
                kind="tenant",
                since=last - 9 * DAY,
                until=last,
            ),
        )
    keeping.add(
        settled,
        StaffLink(id="s", compound=COMPOUND, organisation="o", person="p3", since=dt.date(2020, 1, 1)),
    )
    for person in ("p1", "p2", "p3", "p4", "p5"):
        keeping.add(settled, consent(f"consent-{person}", person), template(person))
    hold(settled, holds.HoldSubject.PERSON, "p5")
    keep()
    # p2 left yesterday, p3 works here, p4 never had a tie, p5 is held.
    assert left(settled, FaceTemplate.person) == {"p2", "p3", "p4", "p5"}
    with settled.read() as session:
        assert session.scalars(select(Erasure.person)).all() == ["p1"]
    keep(NOW + DAY)
    assert left(settled, FaceTemplate.person) == {"p3", "p4", "p5"}
