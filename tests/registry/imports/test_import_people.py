"""Sheets of people into the registry: what goes in, what is refused and why, and twice is once."""

import datetime as dt

import pytest
from import_world import COMPOUND, ID_NUMBER, book, count, furnish, load, people, records, sheet
from sqlalchemy import select

from registry import lookups
from registry.imports import history, jobs
from registry.imports.models import ImportChange, ImportState
from registry.models import (
    Compound,
    Credential,
    CredentialKind,
    Household,
    Person,
    Residence,
    ResidenceKind,
    Vehicle,
)
from registry.people import population
from storage import Database
from storage.keys import current_ring
from storage.vault import current_vault
from tests.support.clock import NOON, VirtualClock

HOMES = ("3号楼2单元1801室", "3号楼2单元1802室")
FAMILY = (
    ("P1", "张三", "10012345678", HOMES[0], "户主", "业主", "2020-01-05"),
    ("P2", "李四", "10012345679", "3-2-1801", "配偶", "", "2020-01-05"),
)


@pytest.fixture
def furnished(either_database: Database) -> Database:
    furnish(either_database, *HOMES)
    return either_database


@pytest.fixture
def homes(database: Database) -> Database:
    """On one database, where what is asked is the same on both."""
    furnish(database, *HOMES)
    return database


def person(database: Database, external_id: str) -> Person:
    with database.read() as session:
        found = session.scalars(
            select(Person).where(Person.compound == COMPOUND, Person.external_id == external_id)
        ).one()
        session.expunge(found)
        return found


def stays(database: Database, person_id: str) -> list[Residence]:
    with database.read() as session:
        found = session.scalars(
            select(Residence).where(Residence.person == person_id).order_by(Residence.since)
        ).all()
        session.expunge_all()
        return list(found)


def test_a_family_goes_in_with_household_residence_and_a_way_in(furnished: Database) -> None:
    done = load(furnished, "people", people(*FAMILY))
    assert (done.state, done.faults, done.told) == (ImportState.APPLIED, 0, [])
    assert [done.of(t) for t in ("people", "households", "residences")] == [(2, 0, 0), (1, 0, 0), (2, 0, 0)]
    head, spouse = person(furnished, "P1"), person(furnished, "P2")
    assert (head.name, head.phone, spouse.name) == ("张三", "10012345678", "李四")
    assert head.name_key == lookups.name_key(COMPOUND, "张三")
    assert head.household == spouse.household is not None
    with furnished.read() as session:
        household = session.get_one(Household, head.household)
        assert (household.head_person_id, household.version) == (head.id, 1)
        guards = session.scalars(select(Credential).where(Credential.person == spouse.id)).all()
        assert [credential.kind for credential in guards] == [CredentialKind.GUARD_CALL]
    kinds = [stays(furnished, one.id)[0].kind for one in (head, spouse)]
    assert kinds == [ResidenceKind.OWNER_OCCUPIER, ResidenceKind.FAMILY_MEMBER]
    assert stays(furnished, head.id)[0].since == dt.date(2020, 1, 5)


def test_the_same_file_again_changes_nothing(furnished: Database) -> None:
    load(furnished, "people", people(*FAMILY))
    before, kept = person(furnished, "P1"), records(furnished)
    again = load(furnished, "people", people(*FAMILY))
    assert [again.of(t) for t in ("people", "households", "residences")] == [(0, 0, 2), (0, 0, 1), (0, 0, 2)]
    assert person(furnished, "P1").version == before.version
    assert records(furnished) == kept


def test_a_corrected_file_changes_what_is_different_and_nothing_else(furnished: Database) -> None:
    load(furnished, "people", people(*FAMILY))
    done = load(
        furnished,
        "people",
        people(("P1", "张三丰", "", HOMES[0], "户主", "租客", "2020-01-05", "2027-01-01"), FAMILY[1]),
    )
    assert [done.of(t) for t in ("people", "households", "residences")] == [(0, 1, 1), (0, 0, 1), (0, 1, 1)]
    head = person(furnished, "P1")
    assert (head.name, head.phone, head.version) == ("张三丰", "10012345678", 2)
    assert head.name_key == lookups.name_key(COMPOUND, "张三丰")
    (stay,) = stays(furnished, head.id)
    assert (stay.kind, stay.until, stay.version) == (ResidenceKind.TENANT, dt.date(2027, 1, 1), 2)


def test_rows_that_differ_end_as_the_last_one_says_every_time(homes: Database) -> None:
    second = ("P1", "张三", "10099999999", HOMES[1], "", "业主", "2021-01-05")
    load(homes, "people", people(FAMILY[0], second))
    assert person(homes, "P1").phone == "10099999999"
    again = load(homes, "people", people(FAMILY[0], second))
    assert (again.of("people"), person(homes, "P1").version) == ((0, 0, 1), 1)


def test_a_blank_cell_empties_nothing(homes: Database) -> None:
    load(
        homes,
        "people",
        people(("P1", "张三", "10012345678", HOMES[0], "户主", "业主", "2020-01-05", "2027-01-01")),
    )
    done = load(homes, "people", people(("P1", "张三", "", HOMES[0])))
    assert (done.of("people"), done.of("residences")) == ((0, 0, 1), (0, 0, 1))
    assert person(homes, "P1").phone == "10012345678"


def test_a_dry_run_says_the_same_and_writes_nothing(furnished: Database) -> None:
    content = people(*FAMILY, ("P3", "王五", "123", HOMES[0]))
    dry = load(furnished, "people", content, dry_run=True, partly=True)
    assert (dry.state, count(furnished, Person), dry.faults) == (ImportState.CHECKED, 0, 1)
    real = load(furnished, "people", content, partly=True)
    assert (real.state, count(furnished, Person)) == (ImportState.APPLIED, 2)
    assert (dry.counts, dry.told) == (real.counts, real.told)


def test_one_bad_row_refuses_all_unless_told_otherwise(homes: Database) -> None:
    content = people(*FAMILY, ("P3", "王五", "", "9号楼101"))
    refused = load(homes, "people", content)
    assert (refused.state, refused.error, count(homes, Person)) == (ImportState.REFUSED, "rows_refused", 0)
    assert refused.told == [(4, "address", "unknown_dwelling")]
    partly = load(homes, "people", content, partly=True)
    assert (partly.state, count(homes, Person)) == (ImportState.APPLIED, 2)
    assert partly.counts["rows"] == {"read": 3, "good": 2, "refused": 1, "empty": 0, "warnings": 0}


# ── bad input ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        (("P1", "", "", HOMES[0]), "name", "required"),
        (("P1", "张三"), "address", "required"),
        (("P1", "张三", "123", HOMES[0]), "phone", "phone_length"),
        (("P1", "张三", "不详", HOMES[0]), "phone", "phone_characters"),
        (("P1", "张三", "", "9号楼101"), "address", "unknown_dwelling"),
        (("P1", "张三", "", "小区里"), "address", "address_building"),
        (("P1", "张三", "", HOMES[0], "", "住户甲"), "residence_kind", "unknown_word"),
        (("P1", "张三", "", HOMES[0], "", "业主", "2026-02-30"), "since", "date_impossible"),
        (("P1", "张三", "", HOMES[0], "", "业主", "某日"), "since", "date_unreadable"),
        (("P1", "张三", "", HOMES[0], "", "业主", "2126-01-01"), "since", "date_range"),
        (("P1", "张三", "", HOMES[0], "", "租客", "2026-01-05", "2025-01-05"), "until", "ends_before_begins"),
        (("P1", "张" * 65, "", HOMES[0]), "name", "text_too_long"),
        (("P1", "#REF!", "", HOMES[0]), "name", "cell_error"),
    ],
)
def test_a_bad_row_says_where_and_why(homes: Database, row: tuple[str, ...], column: str, code: str) -> None:
    done = load(homes, "people", people(row), dry_run=True)
    assert [told for told in done.told if told[2] != "residence_kind_assumed"] == [(2, column, code)]


def test_faults_hold_nothing_of_the_person(homes: Database) -> None:
    load(homes, "people", people(("P1", "张三丰", "1391234", "9号楼404")))
    with homes.engine.connect() as connection:
        stored = str(connection.exec_driver_sql("SELECT * FROM import_faults").all())
        stored += str(connection.exec_driver_sql("SELECT * FROM import_jobs").all())
    assert not [secret for secret in ("1391234", "张三丰", "404") if secret in stored]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (ID_NUMBER[:-1] + "1", "id_number_check_digit"),
        ("11010519490231002X", "id_number_birth_date"),
        ("110105491231002", "id_number_old"),
        ("12345", "id_number_length"),
    ],
)
def test_a_bad_id_number_says_in_which_way(homes: Database, number: str, code: str) -> None:
    content = sheet(("姓名", "地址", "身份证号", "居住类型"), ("张三", HOMES[0], number, "业主"))
    assert (2, "id_number", code) in load(homes, "people", content, dry_run=True).told


def test_two_heads_of_one_household_are_refused(homes: Database) -> None:
    done = load(
        homes,
        "people",
        people(FAMILY[0], ("P2", "李四", "10012345679", HOMES[0], "户主", "业主", "2020-01-05")),
        partly=True,
    )
    assert done.told == [(3, "head", "two_heads")]
    assert count(homes, Person) == 1


def test_a_household_without_a_head_gets_its_first_adult(homes: Database) -> None:
    content = sheet(
        ("人员编号", "姓名", "地址", "与户主关系", "出生日期", "居住类型"),
        ("P1", "小张", HOMES[0], "儿子", "2020-05-05", "家属"),
        ("P2", "李四", HOMES[0], "配偶", "1990-05-05", "家属"),
    )
    done = load(homes, "people", content)
    assert done.told == [(2, "head", "first_adult_is_head")]
    child, adult = person(homes, "P1"), person(homes, "P2")
    assert (child.under_14, child.turns_14_on, adult.under_14) == (True, dt.date(2034, 5, 5), False)
    with homes.read() as session:
        assert session.get_one(Household, adult.household).head_person_id == adult.id


def test_a_household_of_children_stays_without_a_head(homes: Database) -> None:
    content = sheet(
        ("姓名", "地址", "与户主关系", "出生日期", "居住类型"),
        ("小张", HOMES[0], "儿子", "2020-05-05", "家属"),
    )
    assert load(homes, "people", content).told == [(2, "head", "household_without_head")]


def test_a_child_is_no_head(homes: Database) -> None:
    content = sheet(
        ("姓名", "地址", "与户主关系", "出生日期", "居住类型"),
        ("小张", HOMES[0], "户主", "2020-05-05", "业主"),
    )
    assert load(homes, "people", content).codes == ["head_under_14"]


def test_one_number_for_two_people_is_refused(homes: Database) -> None:
    done = load(homes, "people", people(FAMILY[0], ("P1", "王五", "10012340000", HOMES[1], "", "业主")))
    assert done.told == [(3, "person_id", "duplicate_external_id")]


def test_the_same_person_twice_is_refused(homes: Database) -> None:
    done = load(homes, "people", people(FAMILY[0], FAMILY[0]))
    assert done.told == [(3, "name", "duplicate_person")]


def test_a_second_stay_that_overlaps_is_refused_and_one_after_it_is_not(homes: Database) -> None:
    first = ("P1", "张三", "", HOMES[0], "户主", "租客", "2020-01-01", "2020-12-31")
    after = ("P1", "张三", "", HOMES[0], "户主", "租客", "2021-01-01", "2021-12-31")
    across = ("P1", "张三", "", HOMES[0], "户主", "租客", "2020-06-01", "2021-06-01")
    assert load(homes, "people", people(first, across)).codes == ["duplicate_person"]
    assert load(homes, "people", people(first, after)).state == ImportState.APPLIED
    assert load(homes, "people", people(across)).codes == ["residence_overlaps"]
    assert len(stays(homes, person(homes, "P1").id)) == 2


def test_an_id_number_that_somebody_else_has_is_refused(homes: Database) -> None:
    header = ("人员编号", "姓名", "地址", "身份证号", "居住类型")
    load(homes, "people", sheet(header, ("P1", "张三", HOMES[0], ID_NUMBER, "业主")))
    done = load(homes, "people", sheet(header, ("P2", "李四", HOMES[1], ID_NUMBER, "业主")))
    assert done.told[-1] == (2, "id_number", "id_number_of_another")


def test_plates_are_spelt_in_one_way_not_refused(homes: Database) -> None:
    content = sheet(
        ("姓名", "地址", "车牌号", "居住类型"), ("张三", HOMES[0], "云m·12345 / 云M.D12345", "业主")
    )
    assert load(homes, "people", content).faults == 0
    with homes.read() as session:
        assert set(session.scalars(select(Vehicle.plate))) == {"云M12345", "云MD12345"}
    other = sheet(("姓名", "地址", "车牌号", "居住类型"), ("王五", HOMES[1], "云M12345", "业主"))
    assert load(homes, "people", other).told[0] == (2, "plates", "plate_of_another")
    bad = sheet(("姓名", "地址", "车牌号", "居住类型"), ("王五", HOMES[1], "YB888H9", "业主"))
    assert load(homes, "people", bad).told[0] == (2, "plates", "plate_ill_formed")


def test_a_card_of_the_sheet_is_the_way_in(homes: Database) -> None:
    content = sheet(
        ("人员编号", "姓名", "地址", "卡号", "居住类型"), ("P1", "张三", HOMES[0], "00 12-34", "业主")
    )
    load(homes, "people", content)
    assert load(homes, "people", content).of("credentials") == (0, 0, 0)
    with homes.read() as session:
        (card,) = session.scalars(select(Credential))
        assert (card.kind, card.ref) == (CredentialKind.CARD, "001234")
        assert card.ref_key == lookups.credential_key(COMPOUND, CredentialKind.CARD, "001234")
    other = sheet(("姓名", "地址", "卡号", "居住类型"), ("王五", HOMES[1], "001234", "业主"))
    assert load(homes, "people", other).told[0] == (2, "card", "card_of_another")


def test_merged_cells_make_one_household(homes: Database) -> None:
    content = book(
        ("房屋地址", "户号", "姓名", "是否户主", "居住类型"),
        (HOMES[0], "H1", "张三", "是", "业主"),
        (None, None, "李四", "否", "家属"),
        merges=("A2:A3", "B2:B3"),
    )
    done = load(homes, "people", content)
    assert (done.faults, done.of("households"), done.of("residences")) == (0, (1, 0, 0), (2, 0, 0))


# ── who is who ────────────────────────────────────────────────────────────────


def test_a_sheet_without_numbers_is_idempotent_too(furnished: Database) -> None:
    header = ("姓名", "手机号", "地址", "居住类型", "是否户主")
    rows = (("张三", "10012345678", HOMES[0], "业主", "是"), ("李四", "", HOMES[0], "家属", "否"))
    load(furnished, "people", sheet(header, *rows))
    again = load(furnished, "people", sheet(header, *rows))
    assert [again.of(t) for t in ("people", "households", "residences")] == [(0, 0, 2), (0, 0, 1), (0, 0, 2)]
    # Another phone in the same dwelling is a new phone, not a new person.
    moved = load(furnished, "people", sheet(header, ("张三", "10099999999", HOMES[0], "业主", "是"), rows[1]))
    assert moved.of("people") == (0, 1, 1)


def test_a_derived_number_cannot_be_made_without_the_ring(homes: Database) -> None:
    load(
        homes,
        "people",
        sheet(("姓名", "手机号", "地址", "居住类型"), ("张三", "10012345678", HOMES[0], "业主")),
    )
    with homes.read() as session:
        derived = session.scalars(select(Person.external_id)).one()
    keys = lookups.name_key(COMPOUND, "张三"), lookups.phone_key(COMPOUND, "10012345678")
    value = "\x1f".join((COMPOUND, "phone", *keys))
    assert derived[1:] == current_ring().fingerprint("import person", value)[:40]


def test_who_was_registered_by_hand_is_recognised_and_gets_the_offices_number(homes: Database) -> None:
    with homes.write() as session:
        given = population.NewPerson("张三", phone="10012345678", id_number=ID_NUMBER)
        by_hand = population.register(session, COMPOUND, given, at=NOON, today=NOON.date()).id
    done = load(homes, "people", people(FAMILY[0]))
    assert done.of("people") == (0, 1, 0)
    assert person(homes, "P1").id == by_hand


def test_people_of_one_name_are_told_apart_by_their_dwelling(homes: Database) -> None:
    header = ("姓名", "地址", "居住类型")
    done = load(homes, "people", sheet(header, ("张三", HOMES[0], "业主"), ("张三", HOMES[1], "业主")))
    assert done.of("people") == (2, 0, 0)


def test_a_second_home_in_the_sheet_is_a_second_residence_of_one_household(homes: Database) -> None:
    second = ("P1", "张三", "10012345678", HOMES[1], "", "业主", "2021-01-05")
    done = load(homes, "people", people(FAMILY[0], second))
    assert (done.told, done.of("people"), done.of("residences")) == ([], (1, 0, 0), (2, 0, 0))
    assert done.of("households") == (1, 0, 0)


def test_a_home_that_the_sheet_does_not_speak_of_is_kept_and_told(homes: Database) -> None:
    load(homes, "people", people(FAMILY[0]))
    done = load(homes, "people", people(("P1", "张三", "", HOMES[1], "", "业主", "2026-01-05")))
    assert (done.faults, done.codes) == (0, ["lives_elsewhere_too"])
    assert [stay.until for stay in stays(homes, person(homes, "P1").id)] == [None, None]


def test_a_guardian_may_stand_further_down(furnished: Database) -> None:
    header = ("人员编号", "姓名", "地址", "出生日期", "监护人编号", "居住类型", "是否户主")
    done = load(
        furnished,
        "people",
        sheet(
            header,
            ("P9", "小张", HOMES[0], "2020-01-01", "P1", "家属", "否"),
            ("P1", "张三", HOMES[0], "", "", "业主", "是"),
        ),
    )
    assert done.told == []
    assert person(furnished, "P9").guardian == person(furnished, "P1").id
    nobody = load(
        furnished, "people", sheet(header, ("P9", "小张", HOMES[0], "2020-01-01", "P7", "家属", "否"))
    )
    assert (nobody.faults, nobody.codes) == (0, ["guardian_unknown"])


def test_somebody_who_was_forgotten_does_not_come_back_under_the_old_number(homes: Database) -> None:
    load(homes, "people", people(FAMILY[0]))
    with homes.write() as session:
        session.scalars(select(Person)).one().erased_at = NOON
    assert load(homes, "people", people(FAMILY[0])).codes == ["person_erased"]


def test_another_compound_is_neither_seen_nor_touched(furnished: Database) -> None:
    load(furnished, "people", people(*FAMILY))
    with furnished.write() as session:
        session.add(Compound(id="sifang", name="四方"))
    bound, clock = furnished.within("sifang"), VirtualClock()
    asked = jobs.Order("sifang", "people", "m", "property_manager")
    job = jobs.begin(bound, asked, people(*FAMILY), clock.now())
    assert jobs.run(bound, job, asked, people(*FAMILY), clock) == ImportState.REFUSED
    assert count(furnished, Person) == 2


def test_every_record_of_a_person_opens_with_that_persons_key_alone(homes: Database) -> None:
    load(homes, "people", people(*FAMILY))
    load(homes, "people", people(("P1", "张三丰", "", HOMES[0]), ("P2", "李思", "", HOMES[0])))
    with homes.read() as session:
        changes = session.scalars(select(ImportChange).where(ImportChange.before.is_not(None))).all()
        kept = [(change.table, change.row_id, change.before) for change in changes]
    assert {table for table, _, _ in kept} == {"people"}
    current_vault().shred([row_id for _, row_id, _ in kept], NOON)
    assert [history.unseal(table, before) for table, _, before in kept] == [None, None]
