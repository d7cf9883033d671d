"""What becomes of a job: taken back, cut off in the middle, raced, watched."""

import pytest
from import_world import COMPOUND, count, furnish, load, order, outcome, people, records
from sqlalchemy import delete, func, select

from registry.errors import MissingError, RefusedError
from registry.faces.models import Consent, ConsentPurpose, GivenBy
from registry.imports import applying, jobs, pulse
from registry.imports.models import ImportChange, ImportFault, ImportJob, ImportState
from registry.models import Credential, Dwelling, Household, Person, Residence, Vehicle
from storage import Database, Vault
from storage.audit import AuditRow
from storage.vault import ShreddedError
from tests.support.clock import NOON, VirtualClock

HOMES = ("3号楼2单元1801室", "3号楼2单元1802室")
FAMILY = (
    ("P1", "张三", "10012345678", HOMES[0], "户主", "业主", "2020-01-05"),
    ("P2", "李四", "10012345679", HOMES[0], "配偶", "", "2020-01-05"),
)


@pytest.fixture
def furnished(either_database: Database) -> Database:
    furnish(either_database, *HOMES)
    return either_database


@pytest.fixture
def homes(database: Database) -> Database:
    furnish(database, *HOMES)
    return database


def undo(database: Database, job: str, clock: VirtualClock | None = None, **asked):
    clock = clock or VirtualClock()
    jobs.begin_undo(database, job, order("people"), clock)
    return jobs.undo(database, job, order("people"), clock, **asked)


def everything(database: Database) -> list[tuple]:
    """All rows of the registry that an import may touch, versions left out."""
    with database.read() as session:
        people = session.execute(
            select(Person.external_id, Person.name_key, Person.phone_key, Person.household).order_by(
                Person.external_id
            )
        ).all()
        stays = session.execute(select(Residence.kind, Residence.since, Residence.until)).all()
        heads = session.execute(select(Household.head_person_id)).all()
        return [*people, *sorted(stays, key=str), *heads]


def test_undo_takes_away_what_was_made_and_shreds_the_keys(furnished: Database, vault: Vault) -> None:
    done = load(furnished, "people", people(*FAMILY))
    with furnished.read() as session:
        ids = session.scalars(select(Person.id)).all()
    undone = undo(furnished, done.job)
    assert dict(undone.deleted) == {"credentials": 2, "residences": 2, "people": 2, "households": 1}
    assert [count(furnished, m) for m in (Person, Residence, Household, Credential)] == [0, 0, 0, 0]
    assert (outcome(furnished, done.job).state, records(furnished), undone.left) == (
        ImportState.UNDONE,
        2 + 1 + 1 + 1,
        [],
    )
    for person in ids:
        with pytest.raises(ShreddedError):
            vault.seal(person, "name", b"x")


def test_undo_puts_back_what_was_changed(furnished: Database) -> None:
    load(furnished, "people", people(*FAMILY))
    before = everything(furnished)
    done = load(
        furnished,
        "people",
        people(
            ("P1", "张三丰", "10099999999", HOMES[0], "", "租客", "2020-01-05", "2027-01-01"),
            ("P2", "李四", "", HOMES[0], "户主", "", "2021-01-05"),
        ),
    )
    assert everything(furnished) != before
    undone = undo(furnished, done.job)
    assert everything(furnished) == before
    assert (undone.left, dict(undone.restored)) == ([], {"people": 1, "residences": 2, "households": 1})
    with furnished.read() as session:
        head = session.scalars(select(Person).where(Person.external_id == "P1")).one()
        # Forward, never back: whoever read version 2 must not overwrite what came after.
        assert (head.name, head.version) == ("张三", 3)


def test_undo_leaves_what_somebody_edited_or_uses_and_says_so(furnished: Database) -> None:
    done = load(
        furnished, "people", people(*FAMILY, ("P3", "王五", "", HOMES[1], "户主", "业主", "2020-01-05"))
    )
    with furnished.write() as session:
        edited = session.scalars(select(Person).where(Person.external_id == "P2")).one()
        edited.hukou_registered_here = True
        used = session.scalars(select(Person).where(Person.external_id == "P3")).one()
        session.add(
            Consent(
                id="c",
                compound=COMPOUND,
                person=used.id,
                purpose=ConsentPurpose.FACE_ACCESS,
                text_hash="0",
                channel="counter",
                given_by=GivenBy.SELF,
                given_at=NOON,
            )
        )
        left = {("people", edited.id, "edited_since"), ("people", used.id, "still_in_use")}
        homes = {
            ("households", edited.household, "still_in_use"),
            ("households", used.household, "still_in_use"),
        }
    undone = undo(furnished, done.job)
    assert set(undone.left) == left | homes
    assert count(furnished, Person) == 2
    with furnished.read() as session:
        heads = session.scalars(select(Household.head_person_id)).all()
        # Who headed the household and is gone does not head it any more.
        assert sorted(heads, key=str) == sorted([None, used.id], key=str)
        told = session.scalars(select(ImportFault.code).where(ImportFault.job == done.job)).all()
    assert sorted(told) == ["edited_since", "still_in_use", "still_in_use", "still_in_use"]


def test_undo_does_not_put_back_over_what_somebody_edited_since(furnished: Database) -> None:
    load(furnished, "people", people(*FAMILY))
    done = load(furnished, "people", people(("P1", "张三丰", "10099999999", HOMES[0], "", "", "")))
    with furnished.write() as session:
        edited = session.scalars(select(Person).where(Person.external_id == "P1")).one()
        edited.hukou_registered_here = True
    undone = undo(furnished, done.job)
    assert undone.left == [("people", edited.id, "edited_since")]
    with furnished.read() as session:
        person = session.get_one(Person, edited.id)
        assert (person.name, person.hukou_registered_here) == ("张三丰", True)


def test_an_import_whose_record_is_gone_is_not_said_to_be_undone(furnished: Database) -> None:
    done = load(furnished, "people", people(*FAMILY))
    with furnished.write() as session:
        session.execute(delete(ImportChange))
    with pytest.raises(RefusedError) as refused:
        undo(furnished, done.job)
    assert refused.value.code == "import_too_old"
    assert outcome(furnished, done.job).state == ImportState.APPLIED
    assert count(furnished, Person) == 2


def test_undo_leaves_the_forgotten_and_those_under_a_hold(homes: Database) -> None:
    done = load(homes, "people", people(*FAMILY))
    with homes.write() as session:
        first, second = session.scalars(select(Person).order_by(Person.external_id)).all()
        first.erased_at = NOON
    undone = undo(homes, done.job, protected=lambda _session, person: person == second.id)
    reasons = {(table, reason) for table, row_id, reason in undone.left if row_id in {first.id, second.id}}
    assert reasons == {("people", "left_erased"), ("people", "legal_hold")}
    assert count(homes, Person) == 2


def test_only_what_was_written_is_undone_and_once(homes: Database) -> None:
    dry = load(homes, "people", people(*FAMILY), dry_run=True)
    refused = load(homes, "people", people(("P1", "", "", "")))
    done = load(homes, "people", people(*FAMILY))
    undo(homes, done.job)
    for job in (dry.job, refused.job, done.job):
        with pytest.raises(RefusedError, match="import_not_undoable"):
            undo(homes, job)
    with pytest.raises(MissingError):
        undo(homes, "none")
    with pytest.raises(MissingError):
        jobs.begin_undo(homes, done.job, jobs.Order("sifang", "people", "m", "r"), VirtualClock())


class Cut(BaseException):
    """The process ends here."""


def test_an_import_that_was_cut_off_is_undone_or_completed(
    furnished: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "BATCH", 2)
    clock, asked, content = VirtualClock(), order("people"), people(*FAMILY)
    job = jobs.begin(furnished, asked, content, clock.now())

    def cut(state: ImportState, done: int, _total: int) -> None:
        if state is ImportState.APPLYING and done:
            raise Cut

    monkeypatch.setattr(pulse, "EVERY_S", 0)
    with pytest.raises(Cut):
        jobs.run(furnished, job, asked, content, clock, cut)
    assert outcome(furnished, job).state == ImportState.APPLYING
    assert (count(furnished, Household), count(furnished, Residence)) == (1, 1)
    with pytest.raises(RefusedError, match="import_running"):
        jobs.begin(furnished, asked, content, clock.now())
    clock.advance(120)
    # The same file again completes it, and both can be taken back.
    again = load(furnished, "people", content, clock)
    assert (again.state, count(furnished, Person), count(furnished, Residence)) == (ImportState.APPLIED, 2, 2)
    undo(furnished, again.job, clock)
    undo(furnished, job, clock)
    assert [count(furnished, m) for m in (Person, Residence, Household, Credential)] == [0, 0, 0, 0]


def test_an_undo_that_was_cut_off_is_done_again(homes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    done = load(homes, "people", people(*FAMILY))

    def cut(*_: object) -> None:
        raise Cut

    monkeypatch.setattr(pulse, "EVERY_S", 0)
    with pytest.raises(Cut):
        undo(homes, done.job, progress=cut)
    with pytest.raises(RefusedError, match="import_running"):
        undo(homes, done.job)
    clock = VirtualClock()
    clock.advance(120)
    undo(homes, done.job, clock)
    assert (count(homes, Person), outcome(homes, done.job).state) == (0, ImportState.UNDONE)


def test_what_somebody_edits_between_check_and_writing_stops_all_of_it(
    furnished: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "BATCH", 1)
    load(furnished, "people", people(FAMILY[0]))
    clock, asked = VirtualClock(), order("people")
    content = people(("P1", "张三丰", "", HOMES[0]), ("P9", "王五", "", HOMES[1], "户主", "业主"))
    job = jobs.begin(furnished, asked, content, clock.now())

    def meddle(state: ImportState, done: int, _total: int) -> None:
        if state is ImportState.APPLYING and not done:
            with furnished.write() as session:
                session.scalars(select(Person)).one().hukou_registered_here = True

    assert jobs.run(furnished, job, asked, content, clock, meddle) == ImportState.FAILED
    assert outcome(furnished, job).error == "registry_changed"
    with furnished.read() as session:
        assert session.scalars(select(Person)).one().name == "张三"


def test_what_somebody_adds_between_check_and_writing_stops_all_of_it(furnished: Database) -> None:
    clock, asked, content = VirtualClock(), order("people"), people(*FAMILY)
    job = jobs.begin(furnished, asked, content, clock.now())

    def meddle(state: ImportState, done: int, _total: int) -> None:
        if state is ImportState.APPLYING and not done:
            with furnished.write() as session:
                session.add(Person(id="x", compound=COMPOUND, external_id="P2"))

    assert jobs.run(furnished, job, asked, content, clock, meddle) == ImportState.FAILED
    assert [count(furnished, m) for m in (Person, Residence, Household)] == [1, 0, 0]
    assert records(furnished) == 5


def test_progress_and_counts_are_kept_in_the_job(homes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "EVERY_S", 0)
    clock, asked, content = VirtualClock(), order("people"), people(*FAMILY)
    job = jobs.begin(homes, asked, content, clock.now())
    seen = []

    def watch(state: ImportState, done: int, total: int) -> None:
        with homes.read() as session:
            row = session.get_one(ImportJob, job)
            seen.append((state, done, total, ImportState(row.state), row.rows_done))

    jobs.run(homes, job, asked, content, clock, watch)
    assert seen[:3] == [
        ("checking", 1, 2, "checking", 1),
        ("checking", 2, 2, "checking", 2),
        ("applying", 0, 2, "applying", 0),
    ]
    with homes.read() as session:
        row = session.get_one(ImportJob, job)
        assert (row.state, row.rows_done, row.rows_total, row.actor) == ("applied", 2, 2, "manager")


def test_every_step_is_in_the_audit_log_without_a_name(homes: Database) -> None:
    done = load(homes, "people", people(*FAMILY))
    undo(homes, done.job)
    with homes.read() as session:
        rows = session.execute(
            select(AuditRow.action, AuditRow.detail)
            .where(AuditRow.subject == f"import:{done.job}")
            .order_by(AuditRow.seq)
        ).all()
    assert [action for action, _ in rows] == [
        "import.started",
        "import.applied",
        "import.undo_started",
        "import.undone",
    ]
    assert "people.created=2" in rows[1].detail
    assert not [detail for _, detail in rows if "张" in detail]


def test_faults_beyond_what_anybody_reads_are_counted_not_kept(
    homes: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "FAULTS_KEPT", 3)
    done = load(homes, "people", people(*[("", "", "", HOMES[0])] * 9))
    assert (done.faults, len(done.told)) == (9, 3)


def test_a_file_that_cannot_be_read_ends_the_job_with_its_code(homes: Database) -> None:
    done = load(homes, "people", b"PK\x03\x04 no zip")
    assert (done.state, done.error) == (ImportState.REFUSED, "zip_malformed")


def test_one_import_at_a_time(homes: Database) -> None:
    clock = VirtualClock()
    jobs.begin(homes, order("people"), b"x", clock.now())
    with pytest.raises(RefusedError, match="import_running"):
        jobs.begin(homes, order("cards"), b"x", clock.now())
    clock.advance(61)
    jobs.begin(homes, order("cards"), b"x", clock.now())


def test_a_batch_is_a_short_transaction(homes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "BATCH", 10)
    rows = [(f"P{n}", f"人{n}", "", HOMES[0], "", "业主", "2020-01-05") for n in range(40)]
    load(homes, "people", people(*rows))
    with homes.read() as session:
        changes = session.scalar(select(func.count()).select_from(ImportChange)) or 0
        dwellings = session.scalar(select(func.count()).select_from(Dwelling))
        vehicles = session.scalar(select(func.count()).select_from(Vehicle))
    assert (changes, dwellings, vehicles) == (40 * 3 + 1 + 5, 2, 0)
