"""Sheets of dwellings, vehicles, organisations and cards."""

import datetime as dt

import pytest
from import_world import COMPOUND, count, furnish, load, people, sheet
from sqlalchemy import select

from registry.imports.models import ImportState
from registry.models import (
    AuthorisedDriver,
    Building,
    Credential,
    CredentialKind,
    CredentialStatus,
    Dwelling,
    DwellingState,
    Grid,
    Household,
    Organisation,
    Person,
    Premises,
    Ring,
    StaffLink,
    Unit,
    Vehicle,
    Zone,
)
from registry.places import housing
from storage import Database

HOME = "3号楼2单元1801室"
DWELLINGS = ("房屋编号", "楼栋", "单元", "房号", "楼层", "房屋状态", "网格")


@pytest.fixture
def furnished(either_database: Database) -> Database:
    furnish(either_database, HOME)
    return either_database


@pytest.fixture
def peopled(database: Database) -> Database:
    furnish(database, HOME)
    done = load(
        database,
        "people",
        people(
            ("P1", "张三", "10012345678", HOME, "户主", "业主", "2020-01-05"),
            ("P2", "李四", "10012345679", HOME, "租户", "租客", "2020-01-05"),
            ("P3", "王五", "10012345670", HOME, "租户", "租客", "2020-01-05"),
        ),
    )
    assert done.faults == 0, done
    return database


def only(database: Database, model: type, *where: object):
    with database.read() as session:
        found = session.scalars(select(model).where(*where)).one()
        session.expunge(found)
        return found


# ── dwellings ─────────────────────────────────────────────────────────────────


def test_buildings_and_units_come_with_their_dwellings(either_database: Database) -> None:
    furnish(either_database)
    rows = (
        ("D1", "3号楼", "2单元", "1801", "18", "自住"),
        ("D2", "3幢", "2", "1802", "", "出租"),
        ("D3", "甲3幢", "", "701", "", ""),
        ("D4", "3栋", "2单元", "B101", "负1层", "空置"),
    )
    done = load(either_database, "dwellings", sheet(DWELLINGS, *rows))
    assert (done.state, done.told) == (ImportState.APPLIED, [])
    assert [done.of(t)[0] for t in ("zones", "buildings", "units", "dwellings")] == [1, 2, 2, 4]
    again = load(either_database, "dwellings", sheet(DWELLINGS, *rows))
    assert [again.of(t) for t in ("zones", "buildings", "units", "dwellings")] == [(0, 0, 0)] * 3 + [
        (0, 0, 4)
    ]
    with either_database.read() as session:
        found = housing.find_dwelling(session, COMPOUND, "3#2单元1802室", dt.date(2026, 1, 1))
        assert (found.external_id, found.floor, found.state) == ("D2", 18, DwellingState.LET)
        assert session.scalars(select(Zone.ring)).one() == Ring.BUILDING
        cellar = session.scalars(select(Dwelling).where(Dwelling.external_id == "D4")).one()
        assert (cellar.floor, cellar.is_basement) == (-1, True)
        assert housing.refresh_address_keys(session, COMPOUND) == 0


def test_a_dwelling_is_corrected_and_keeps_its_grid(furnished: Database) -> None:
    with furnished.write() as session:
        session.add_all(
            [Grid(id=f"g{n}", compound=COMPOUND, code=f"0{n}", name=f"第{n}网格") for n in (1, 2)]
        )
    done = load(furnished, "dwellings", sheet(DWELLINGS, ("D1", "3幢", "2", "1801", "", "空置", "1")))
    assert done.of("dwellings") == (0, 1, 0)
    found = only(furnished, Dwelling)
    assert (found.external_id, found.state, found.grid, found.version) == (
        "D1",
        DwellingState.VACANT,
        "g1",
        2,
    )
    neighbour = load(furnished, "dwellings", sheet(DWELLINGS, ("D2", "3幢", "2", "1802", "", "", "")))
    assert neighbour.told == []
    assert only(furnished, Dwelling, Dwelling.external_id == "D2").grid == "g1"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            [("D1", "3幢", "2", "1801"), ("D2", "3号楼", "2单元", "1801室")],
            (3, "address", "duplicate_dwelling"),
        ),
        ([("D1", "3幢", "2", "")], (2, "room", "required")),
        ([("D1", "", "", "1801")], (2, "building", "required")),
        ([("D1", "3幢", "2", "1801", "", "鬼屋")], (2, "state", "unknown_word")),
        ([("D1", "3幢", "2", "1801", "", "", "77")], (2, "grid", "unknown_grid")),
        ([("D1", "3幢", "2", "1801", "0")], (2, "floor", "floor_impossible")),
        ([("D1", "3幢", "2", "1801", "顶")], (2, "floor", "floor_impossible")),
        ([("D1", "3幢", "2", "A")], (2, "floor", "floor_needed")),
        (
            [("D1", "3幢", "2", "1801"), ("D1", "3幢", "2", "1802")],
            (3, "address", "dwelling_address_differs"),
        ),
    ],
)
def test_a_bad_dwelling_says_where_and_why(
    database: Database, rows: list[tuple[str, ...]], told: tuple[int, str, str]
) -> None:
    furnish(database)
    padded = [(*row, *[""] * (len(DWELLINGS) - len(row))) for row in rows]
    assert told in load(database, "dwellings", sheet(DWELLINGS, *padded), dry_run=True).told


# ── vehicles ──────────────────────────────────────────────────────────────────

VEHICLES = ("车牌号", "车主编号", "车主姓名", "车辆类型", "驾驶人编号", "授权人编号", "授权开始")


def test_a_vehicle_goes_in_with_owner_household_and_drivers(peopled: Database) -> None:
    rows = (
        ("云m.12345", "P1", "", "月卡车", "P2", "", "2026-01-01"),
        ("云M12345", "P1", "", "", "P3", "P2", "2026-02-01"),
    )
    done = load(peopled, "vehicles", sheet(VEHICLES, *rows))
    assert (done.told, done.of("vehicles"), done.of("authorised_drivers")) == ([], (1, 0, 0), (2, 0, 0))
    vehicle = only(peopled, Vehicle)
    owner = only(peopled, Person, Person.external_id == "P1")
    assert (vehicle.plate, vehicle.owner, vehicle.household) == ("云M12345", owner.id, owner.household)
    again = load(peopled, "vehicles", sheet(VEHICLES, *rows))
    assert (again.of("vehicles"), again.of("authorised_drivers")) == ((0, 0, 1), (0, 0, 2))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("云M12345", "P1", "", "", "P2", "P2")], (2, "granted_by", "driver_circle")),
        ([("云M12345", "P1", "", "", "P2", "P3")], (2, "granted_by", "grantor_not_entitled")),
        ([("云M1234", "P1")], (2, "plate", "plate_ill_formed")),
        ([("", "P1", "张三")], (2, "plate", "required")),
        ([("云M12345", "P7")], (2, "name", "unknown_person")),
        ([("云M12345", "P1", "", "", "P7")], (2, "driver", "unknown_driver")),
        ([("云M12345", "", "")], (2, "name", "vehicle_without_owner")),
        ([("云M12345", "P1", "", "飞机")], (2, "vehicle_kind", "unknown_word")),
        (
            [("云M12345", "P1", "", "", "P2"), ("云M12345", "P1", "", "", "P2")],
            (3, "driver", "duplicate_driver"),
        ),
        ([("云M12345", "P1"), ("云M12345", "P2")], (3, "plate", "plate_of_another")),
    ],
)
def test_a_bad_vehicle_says_where_and_why(
    peopled: Database, rows: list[tuple[str, ...]], told: tuple[int, str, str]
) -> None:
    # Whoever lives in the owner's household needs no leave.
    with peopled.write() as session:
        session.add(Household(id="other", compound=COMPOUND))
        session.flush()
        for person in session.scalars(select(Person).where(Person.external_id != "P1")):
            person.household = "other"
    padded = [(*row, *[""] * (len(VEHICLES) - len(row))) for row in rows]
    assert told in load(peopled, "vehicles", sheet(VEHICLES, *padded), dry_run=True).told


def test_a_circle_that_a_later_sheet_closes_is_found(peopled: Database) -> None:
    first = sheet(
        VEHICLES, ("云M12345", "P1", "", "", "P2", "", ""), ("云M12345", "P1", "", "", "P3", "P2", "")
    )
    with peopled.write() as session:
        session.add(Household(id="other", compound=COMPOUND))
        session.flush()
        for person in session.scalars(select(Person).where(Person.external_id != "P1")):
            person.household = "other"
    assert load(peopled, "vehicles", first).faults == 0
    closing = sheet(VEHICLES, ("云M12345", "P1", "", "", "P2", "P3", ""))
    assert load(peopled, "vehicles", closing).told == [(2, "granted_by", "driver_circle")]
    assert count(peopled, AuthorisedDriver) == 2


# ── organisations ─────────────────────────────────────────────────────────────

ORGANISATIONS = (
    "单位编号",
    "单位名称",
    "单位类型",
    "房屋地址",
    "员工编号",
    "员工姓名",
    "员工电话",
    "入职日期",
)


def test_an_organisation_goes_in_with_premises_and_staff(furnished: Database) -> None:
    rows = (
        ("O1", "红花超市", "个体工商户", HOME, "S1", "赵六", "10012345671", "2026-02-01"),
        ("O1", "红花超市", "", HOME, "S2", "钱七", "", ""),
        ("O2", "物业公司", "企业", "", "", "", "", ""),
    )
    done = load(furnished, "organisations", sheet(ORGANISATIONS, *rows))
    assert (done.told, [done.of(t)[0] for t in ("organisations", "premises", "people", "staff")]) == (
        [],
        [2, 1, 2, 2],
    )
    again = load(furnished, "organisations", sheet(ORGANISATIONS, *rows))
    assert [again.of(t) for t in ("organisations", "premises", "people", "staff")] == [
        (0, 0, 2),
        (0, 0, 1),
        (0, 0, 2),
        (0, 0, 2),
    ]
    staff = only(furnished, Person, Person.external_id == "S1")
    assert (staff.name, staff.household) == ("赵六", None)
    link = only(furnished, StaffLink, StaffLink.person == staff.id)
    assert link.since == dt.date(2026, 2, 1)
    assert only(furnished, Credential, Credential.person == staff.id).kind == CredentialKind.GUARD_CALL
    assert count(furnished, Premises) == 1
    assert count(furnished, Organisation) == 2


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("O1", "", "企业"), (2, "organisation", "required")),
        (("O1", "甲", "帮派"), (2, "organisation_kind", "unknown_word")),
        (("O1", "甲", "企业", "9号楼1"), (2, "address", "unknown_dwelling")),
        (("O1", "甲", "企业", "", "S1"), (2, "staff_id", "unknown_person")),
        (("O1", "甲", "企业", "", "S1", "赵六", "12"), (2, "staff_phone", "phone_length")),
    ],
)
def test_a_bad_organisation_says_where_and_why(
    database: Database, row: tuple[str, ...], told: tuple[int, str, str]
) -> None:
    furnish(database, HOME)
    padded = (*row, *[""] * (len(ORGANISATIONS) - len(row)))
    assert load(database, "organisations", sheet(ORGANISATIONS, padded), dry_run=True).told == [told]


# ── cards ─────────────────────────────────────────────────────────────────────

CARDS = ("卡号", "人员编号", "姓名", "凭证类型", "卡状态", "有效期起", "有效期至")


def test_a_card_is_found_by_its_holder_and_keeps_its_days(peopled: Database) -> None:
    rows = (("0012345678", "P1", "", "门禁卡", "正常", "2026-01-05", "2027-01-04"),)
    assert load(peopled, "cards", sheet(CARDS, *rows)).told == []
    assert load(peopled, "cards", sheet(CARDS, *rows)).of("credentials") == (0, 0, 1)
    card = only(peopled, Credential, Credential.kind == CredentialKind.CARD)
    # The last day belongs to it, on the compound's own clock.
    assert (card.starts_at, card.ends_at) == (
        dt.datetime(2026, 1, 4, 16, tzinfo=dt.UTC),
        dt.datetime(2027, 1, 4, 16, tzinfo=dt.UTC),
    )


def test_a_lost_card_leaves_its_holder_a_way_in(peopled: Database) -> None:
    with peopled.write() as session:
        for guard_call in session.scalars(select(Credential)):
            session.delete(guard_call)
    load(peopled, "cards", sheet(CARDS, ("00123", "P1", "", "", "正常", "", "")))
    assert count(peopled, Credential) == 1
    load(peopled, "cards", sheet(CARDS, ("00123", "P1", "", "", "挂失", "", "")))
    with peopled.read() as session:
        found = {c.kind: c.status for c in session.scalars(select(Credential))}
    assert found == {
        CredentialKind.CARD: CredentialStatus.LOST,
        CredentialKind.GUARD_CALL: CredentialStatus.ACTIVE,
    }


def test_a_card_passes_on_in_one_sheet(peopled: Database) -> None:
    load(peopled, "cards", sheet(CARDS, ("00123", "P1", "", "", "正常", "", "")))
    done = load(
        peopled,
        "cards",
        sheet(CARDS, ("00123", "P1", "", "", "注销", "", ""), ("00123", "P2", "", "", "正常", "", "")),
    )
    assert (done.state, done.told) == (ImportState.APPLIED, [])


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("", "P1")], (2, "card", "required")),
        ([("123", "P9")], (2, "person_id", "unknown_person")),
        ([("123",)], (2, "person_id", "required")),
        ([("1", "P1", "", "密码")], (2, "card", "pin_malformed")),
        ([("123", "P1"), ("123", "P2")], (3, "card", "card_of_another")),
        ([("123", "P1"), ("1-23", "P1")], (3, "card", "duplicate_card")),
        ([("123", "P1", "", "", "", "2026-02-01", "2026-01-01")], (2, "until", "ends_before_begins")),
    ],
)
def test_a_bad_card_says_where_and_why(
    peopled: Database, rows: list[tuple[str, ...]], told: tuple[int, str, str]
) -> None:
    padded = [(*row, *[""] * (len(CARDS) - len(row))) for row in rows]
    assert told in load(peopled, "cards", sheet(CARDS, *padded), dry_run=True).told


def test_units_and_buildings_of_the_plan_are_used_not_doubled(database: Database) -> None:
    furnish(database)
    with database.write() as session:
        session.add(Zone(id="z", compound=COMPOUND, name="z", ring=Ring.BUILDING, kind="b", outline=[[0, 0]]))
        session.flush()
        session.add(Building(id="b3", compound=COMPOUND, zone="z", name="3号楼", x=1, y=1, width=9, height=9))
        session.flush()
        session.add(Unit(id="b3-2", compound=COMPOUND, building="b3", name="二单元"))
    load(database, "dwellings", sheet(DWELLINGS[1:4], ("3幢", "2单元", "1801"), ("3幢", "1单元", "101")))
    assert (count(database, Zone), count(database, Building), count(database, Unit)) == (1, 1, 2)
    assert only(database, Dwelling, Dwelling.unit == "b3-2").room_no == "1801"
