"""An export comes back as it went: nothing is new, nothing is different, nothing is calculated."""

import csv
import hashlib
import io
import re
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from import_world import COMPOUND, ID_NUMBER, furnish, load, sheet
from sqlalchemy import select

from registry.errors import MissingError
from registry.exports import Form, gather, write
from registry.exports.files import safe
from registry.imports import jobs
from registry.imports.columns import TITLES, SheetKind
from registry.imports.models import ImportState
from registry.models import Compound, Person
from storage import Database
from tests.support.clock import NOON, VirtualClock

HOMES = ("3号楼2单元1801室", "甲3幢701", "5幢地下1层B101", "3号楼2单元1802-A")
MARK = "Ringward honghua u-1 2026-11-23T04:00:00Z registry_maintenance"


@pytest.fixture
def full(either_database: Database) -> Database:
    """A compound with something in every sheet."""
    database = either_database
    furnish(database, *HOMES)
    content = sheet(
        (
            "人员编号",
            "姓名",
            "手机号",
            "地址",
            "户号",
            "是否户主",
            "身份证号",
            "居住类型",
            "入住日期",
            "到期日期",
            "出生日期",
            "监护人编号",
            "户籍",
        ),
        (
            "P1",
            "张三",
            "10012345678",
            HOMES[0],
            "H1",
            "是",
            ID_NUMBER,
            "业主",
            "2020-01-05",
            "",
            "",
            "",
            "是",
        ),
        ("P1", "张三", "", HOMES[1], "H1", "", "", "业主", "2021-01-05", "", "", "", ""),
        ("P2", "小张", "", HOMES[0], "H1", "否", "", "家属", "2020-01-05", "", "2020-06-01", "P1", ""),
        (
            "",
            "=李四",
            "10012345670",
            HOMES[2],
            "",
            "是",
            "",
            "租客",
            "2024-01-05",
            "2027-01-05",
            "",
            "",
            "否",
        ),
        ("", "王五", "", HOMES[3], "", "是", "", "业主", "2024-01-05", "", "", "", ""),
    )
    assert load(database, "people", content).faults == 0
    vehicles = sheet(
        ("车牌号", "车主编号", "驾驶人编号", "授权开始"),
        ("云M12345", "P1", "P2", "2026-01-01"),
        ("云MD12345", "P1", "", ""),
    )
    assert load(database, "vehicles", vehicles).faults == 0
    organisations = sheet(
        ("单位编号", "单位名称", "单位类型", "房屋地址", "员工姓名", "员工电话", "入职日期"),
        ("O1", "超市", "商户", HOMES[0], "赵六", "10012345671", "2026-02-01"),
        ("O1", "超市", "", "", "钱七", "", "2026-02-01"),
    )
    assert load(database, "organisations", organisations).faults == 0
    cards = sheet(
        ("卡号", "人员编号", "有效期起", "有效期至"),
        ("00123", "P1", "2026-01-05", "2027-01-04"),
        ("00124", "P2", "", ""),
    )
    assert load(database, "cards", cards).faults == 0
    return database


def exported(database: Database, form: Form = Form.XLSX, *, reveal_ids: bool = False) -> bytes:
    with database.read() as session:
        tables = gather(session, COMPOUND, reveal_ids=reveal_ids)
    return write(tables, form, MARK).content


@pytest.mark.parametrize("kind", SheetKind)
def test_an_export_is_imported_again_without_a_change(full: Database, kind: SheetKind) -> None:
    book = exported(full)
    csvs = zipfile.ZipFile(io.BytesIO(exported(full, Form.CSV)))
    for content in (book, csvs.read(f"{kind}.csv")):
        done = load(full, kind, content)
        assert (done.state, done.faults) == (ImportState.APPLIED, 0), done
        tables = {table: counts for table, counts in done.counts.items() if table != "rows"}
        assert tables
        assert not [table for table, counts in tables.items() if counts["created"] or counts["updated"]]


def test_an_export_fills_an_empty_compound(full: Database) -> None:
    book = exported(full, reveal_ids=True)
    with full.write() as session:
        session.add(Compound(id="copy", name="copy"))
    clock = VirtualClock()
    for kind in SheetKind:
        asked = jobs.Order("copy", kind, "m", "property_manager")
        job = jobs.begin(full, asked, book, clock.now())
        assert jobs.run(full, job, asked, book, clock) == ImportState.APPLIED
    with full.read() as session:
        one = gather(session, COMPOUND, reveal_ids=True)
        other = gather(session, "copy", reveal_ids=True)
    for kind in SheetKind:
        # A derived number is bound to its compound.
        assert sorted(map(_without_derived, one[kind])) == sorted(map(_without_derived, other[kind]))


def _without_derived(row: dict) -> str:
    return str({key: value for key, value in row.items() if not str(value).startswith("~") and key != "grid"})


def test_id_numbers_are_masked_unless_revealed(full: Database) -> None:
    def numbers(content: bytes) -> set[str]:
        page = openpyxl.load_workbook(io.BytesIO(content))[TITLES[SheetKind.PEOPLE]]
        header = [cell.value for cell in page[2]]
        at = header.index("身份证号")
        return {row[at] for row in page.iter_rows(min_row=3, values_only=True)} - {None}

    assert numbers(exported(full)) == {"110105********002X"}
    assert numbers(exported(full, reveal_ids=True)) == {ID_NUMBER}


def test_each_sheet_says_who_made_it(full: Database) -> None:
    book = openpyxl.load_workbook(io.BytesIO(exported(full)))
    assert {page.cell(1, 1).value for page in book} == {MARK}
    assert len(book.worksheets) == len(SheetKind)


def test_no_cell_is_a_formula(full: Database) -> None:
    book = openpyxl.load_workbook(io.BytesIO(exported(full)))
    cells = [cell for page in book for row in page.iter_rows() for cell in row if cell.value is not None]
    assert "'=李四" in [cell.value for cell in cells]
    assert not [cell for cell in cells if cell.data_type == "f"]
    text = zipfile.ZipFile(io.BytesIO(exported(full, Form.CSV))).read("people.csv").decode("utf-8-sig")
    rows = csv.reader(io.StringIO(text))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@given(st.text(max_size=20))
def test_what_is_made_safe_begins_no_formula(text: str) -> None:
    made = safe(text) or ""
    plain = re.sub("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff]", "", text)
    assert made in {plain, f"'{plain}"}
    assert not made.startswith(("=", "+", "@", "\t", "\r"))


def test_a_name_that_no_sheet_can_hold_does_not_cost_the_whole_file(full: Database) -> None:
    with full.write() as session:
        session.scalars(select(Person).where(Person.external_id == "P1")).one().name = "张\x00三\x1b[31m"
    book = openpyxl.load_workbook(io.BytesIO(exported(full)))
    assert "张三[31m" in [cell.value for page in book for row in page.iter_rows() for cell in row]


def test_the_forgotten_and_other_compounds_are_not_in_it(full: Database) -> None:
    with full.write() as session:
        session.scalars(select(Person).where(Person.external_id == "P1")).one().erased_at = NOON
    with full.read() as session:
        tables = gather(session, COMPOUND, reveal_ids=True)
        assert "张三" not in str(tables)
        with pytest.raises(MissingError):
            gather(session, "sifang", reveal_ids=False)


def test_the_digest_is_that_of_the_file(full: Database) -> None:
    with full.read() as session:
        made = write(gather(session, COMPOUND, reveal_ids=False), Form.XLSX, MARK)
    assert made.detail == (
        f"sha256={hashlib.sha256(made.content).hexdigest()} dwellings=4 people=5 vehicles=2 organisations=2 cards=2"
    )
