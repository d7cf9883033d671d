"""Files as they come: encodings, delimiters, titles, merged cells, and what attacks they may carry."""

import contextlib
import datetime as dt
import io
import re
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from import_world import book, sheet

from registry.imports import archives, dates, delimited, sheets, workbooks
from registry.imports.columns import BY_NAME, COLUMNS, SheetKind, header_key
from registry.imports.faults import FileRefusedError
from registry.imports.lines import Line

HEADER = ("姓名", "联系电话", "房屋地址")
ROW = ("张三", "10012345678", "3号楼2单元1801室")


def read(content: bytes, kind: SheetKind = SheetKind.PEOPLE) -> sheets.Sheet:
    return sheets.read(content, kind)


def refusal(content: bytes, kind: SheetKind = SheetKind.PEOPLE) -> str:
    with pytest.raises(FileRefusedError) as refused:
        read(content, kind)
    return refused.value.code


def texts(read_sheet: sheets.Sheet, column: str) -> list[str | None]:
    return [Line(read_sheet, number, cells).text(column) for number, cells in read_sheet.rows]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_every_encoding_and_delimiter_of_an_office_is_read(encoding: str, delimiter: str) -> None:
    found = read(sheet(HEADER, ROW, encoding=encoding, delimiter=delimiter))
    assert texts(found, "name") == ["张三"]
    assert texts(found, "address") == ["3号楼2单元1801室"]


def test_a_rare_character_of_gb18030_is_read() -> None:
    assert texts(read(sheet(HEADER, ("㐂𠮷", *ROW[1:]), encoding="gb18030")), "name") == ["㐂𠮷"]


def test_bytes_of_no_encoding_are_refused() -> None:
    assert refusal(b"\xff\xff\x80\x80name,\x80") == "encoding_unknown"


def test_a_line_break_in_quotes_is_part_of_the_cell() -> None:
    content = '姓名,地址\n张三,"3号楼\n2单元1801"\n李四,3号楼2单元1802\n'.encode()
    assert texts(read(content), "name") == ["张三", "李四"]


def test_a_quote_that_is_never_closed_names_its_row() -> None:
    with pytest.raises(FileRefusedError) as refused:
        read('姓名,地址\n张三,3-2-1801\n李四,"3-2-1802\n'.encode())
    assert (refused.value.code, refused.value.facts) == ("csv_malformed", {"row": 3})


def test_titles_above_the_header_are_passed_over() -> None:
    found = read(book(("红花小区住户登记表",), ("制表人:王", None, "2026年1月"), HEADER, ROW))
    assert [number for number, _ in found.rows] == [4]


def test_a_header_has_stars_brackets_and_blanks() -> None:
    found = read(sheet(("* 姓 名", "联系电话（必填）", "房屋地址\n[楼-单元-室]"), ROW))
    assert set(found.columns) == {"name", "phone", "address"}


def test_what_misses_a_column_says_which() -> None:
    with pytest.raises(FileRefusedError) as refused:
        read(sheet(("姓名", "手机号"), ROW[:2]))
    assert (refused.value.code, refused.value.facts) == ("columns_missing", {"columns": "房屋地址"})
    assert refusal(sheet(("a", "b"), ("c", "d"))) == "header_not_found"


def test_columns_that_are_not_kept_are_told_by_position_only() -> None:
    found = read(sheet((*HEADER, "民族", "备注", "手机"), (*ROW, "汉", "x", "")))
    assert [(note.code, note.facts) for note in found.notes] == [
        ("column_sensitive", {"position": 4}),
        ("column_ignored", {"position": 5}),
        ("column_twice", {"position": 6}),
    ]


def test_a_merged_cell_holds_for_all_its_rows() -> None:
    found = read(
        book(
            ("楼栋", "单元", "房号", "户号", "姓名"),
            ("3号楼", "2单元", "1801", "H1", "张三"),
            (None, None, None, None, "李四"),
            (None, None, "1802", "H2", "王五"),
            merges=("A2:A4", "B2:B4", "C2:C3", "D2:D3"),
        )
    )
    assert texts(found, "building") == ["3号楼"] * 3
    assert texts(found, "room") == ["1801", "1801", "1802"]
    assert texts(found, "household") == ["H1", "H1", "H2"]


def test_blank_ditto_cells_of_a_csv_stay_blank() -> None:
    found = read(sheet(("楼栋", "房号", "姓名"), ("3号楼", "101", "张三"), ("", "", "李四")))
    assert texts(found, "building") == ["3号楼", None]


def test_empty_rows_are_counted_and_numbers_stay_those_of_the_sheet() -> None:
    found = read(sheet(HEADER, ROW, ("", " ", ""), ROW))
    assert ([number for number, _ in found.rows], found.empty) == ([2, 4], 1)


def test_a_row_beyond_its_header_is_a_fault() -> None:
    found = read(sheet(HEADER, (*ROW, "", "more")))
    line = Line(found, *found.rows[0])
    assert [fault.code for fault in line.faults] == ["row_too_long"]


def test_the_sheet_with_the_kinds_name_is_taken_of_several() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(book(("姓名", "地址"), ("甲", "1-1"))))
    page = workbook.create_sheet("人员")
    page.append(("姓名", "地址"))
    page.append(("乙", "1-1"))
    file = io.BytesIO()
    workbook.save(file)
    assert texts(read(file.getvalue()), "name") == ["乙"]


def test_excel_numbers_are_read_as_people_see_them() -> None:
    found = read(
        book(
            (*HEADER, "身份证号", "房号", "楼栋"), ("张三", 13800000000.0, None, 110105194912310020, 1801, 3)
        )
    )
    line = Line(found, *found.rows[0])
    assert (line.phone("phone"), line.text("room"), line.text("building")) == ("13800000000", "1801", "3")
    assert line.id_number("id_number") is None
    assert [(fault.column, fault.code) for fault in line.faults] == [("id_number", "number_lost_digits")]


@pytest.mark.parametrize(("column", "cell"), [("身份证号", "1.10105E+17"), ("联系电话", "1.38E+10")])
def test_a_number_that_was_shortened_into_a_text_is_told(column: str, cell: str) -> None:
    found = read(sheet(("姓名", "地址", column), ("张三", "3-2-1801", cell)))
    line = Line(found, *found.rows[0])
    line.phone("phone")
    line.id_number("id_number")
    assert [fault.code for fault in line.faults] == ["number_lost_digits"]


def test_a_room_that_excel_made_a_date_is_told() -> None:
    found = read(book(("姓名", "地址"), ("张三", dt.date(2026, 3, 2))))
    line = Line(found, *found.rows[0])
    assert line.address() is None
    assert [(fault.column, fault.code) for fault in line.faults] == [("address", "cell_is_date")]


def test_a_formula_is_taken_as_its_value_never_as_its_text() -> None:
    # openpyxl stores no value, as a program does that has never calculated it.
    assert texts(read(book(HEADER, ('=HYPERLINK("http://evil","张三")', *ROW[1:]))), "name") == [None]


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-05",
        "2026/1/5",
        "2026.1.5",
        "2026年1月5日",
        "20260105",
        "２０２６－０１－０５",
        "2026-01-05 13:30",
        46027,
        46027.0,
        20260105.0,
        dt.date(2026, 1, 5),
        dt.datetime(2026, 1, 5, 8, 0),
    ],
)
def test_dates_in_all_their_spellings(written: object) -> None:
    assert dates.read(written) == dt.date(2026, 1, 5)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("2026-02-30", "date_impossible"),
        ("20261301", "date_impossible"),
        (20260230.0, "date_impossible"),
        ("1/5/2026", "date_unreadable"),
        ("去年", "date_unreadable"),
        (3.0, "date_unreadable"),
        (True, "date_unreadable"),
        ("1800-01-01", "date_range"),
        ("2999-01-01", "date_range"),
    ],
)
def test_what_is_no_date_says_in_which_way(written: object, code: str) -> None:
    with pytest.raises(dates.DateError) as refused:
        dates.read(written)
    assert refused.value.code == code


@given(
    st.dates(dates.EARLIEST, dates.LATEST), st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"])
)
def test_every_day_is_read_back(day: dt.date, spelling: str) -> None:
    assert dates.read(day.strftime(spelling)) == day


@given(st.one_of(st.text(max_size=40), st.floats(), st.integers(), st.booleans(), st.times()))
def test_any_cell_is_a_day_or_a_named_fault(cell: object) -> None:
    with contextlib.suppress(dates.DateError):
        assert dates.EARLIEST <= dates.read(cell) <= dates.LATEST


@given(st.lists(st.lists(st.text(max_size=30), min_size=3, max_size=6), min_size=1, max_size=8))
def test_any_table_is_read_or_refused_with_a_code(rows: list[list[str]]) -> None:
    content = sheet(
        ("姓名", "地址", "车牌号", "手机号", "入住日期", "身份证号"), *[tuple(row) for row in rows]
    )
    with contextlib.suppress(FileRefusedError):
        found = read(content)
        for number, cells in found.rows:
            line = Line(found, number, cells)
            for column in ("name", "phone", "since", "plates", "id_number"):
                line.text(column), line.phone(column), line.last_day(column), line.plates(column)
            line.address()


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_code(content: bytes) -> None:
    for prefix in (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        with pytest.raises(FileRefusedError):
            read(prefix + content)


# ── attacks ───────────────────────────────────────────────────────────────────


def packed(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def altered(content: bytes, name: str, change) -> bytes:
    """An XLSX with one part of it replaced."""
    source = zipfile.ZipFile(io.BytesIO(content))
    return packed(**{n: change(source.read(n)) if n == name else source.read(n) for n in source.namelist()})


def test_one_cell_far_out_is_refused_before_it_costs_half_a_terabyte() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(book(HEADER, ROW)))
    workbook.active["XFD1048576"] = "x"
    file = io.BytesIO()
    workbook.save(file)
    assert refusal(file.getvalue()) == "too_many_rows"
    workbook = openpyxl.load_workbook(io.BytesIO(book(HEADER, ROW)))
    workbook.active["XFD3"] = "x"
    file = io.BytesIO()
    workbook.save(file)
    assert refusal(file.getvalue()) == "too_many_columns"


def test_a_sheet_that_lies_about_its_size_is_read_as_it_is() -> None:
    content = altered(
        book(HEADER, ROW),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b'ref="A1:C2"', b'ref="A1:XFD1048576"'),
    )
    assert b"XFD1048576" in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert texts(read(content), "name") == ["张三"]


@pytest.mark.parametrize("reference", [b"&#65;1", b"A99999999", b"ZZZZ1", b"A1 "])
def test_a_reference_that_is_none_is_refused(reference: bytes) -> None:
    content = altered(
        book(HEADER, ROW),
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b'r="A1"', b'r="%b"' % reference),
    )
    assert refusal(content) == "workbook_malformed"


def test_entities_are_not_expanded() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "%b"><!ENTITY f SYSTEM "file:///etc/passwd">]>' % (
        b"ha" * 50
    )

    def infect(xml: bytes) -> bytes:
        body = xml.split(b"?>", 1)[-1] if xml.startswith(b"<?xml") else xml
        return bomb + body.replace("张三".encode(), b"&a;&f;")

    content = book(HEADER, ROW)
    parts = zipfile.ZipFile(io.BytesIO(content)).namelist()
    name = "xl/sharedStrings.xml" if "xl/sharedStrings.xml" in parts else "xl/worksheets/sheet1.xml"
    with contextlib.suppress(FileRefusedError):
        found = texts(read(altered(content, name, infect)), "name")
        assert not [word for word in ("root:", "haha") if word in str(found)]


def test_a_zip_bomb_is_refused_by_what_it_says_of_itself() -> None:
    assert (
        refusal(packed(**{"xl/workbook.xml": b"x", "xl/worksheets/sheet1.xml": b"0" * (600 << 20)}))
        == "zip_bomb"
    )
    assert (
        refusal(packed(**{"xl/workbook.xml": b"x", "xl/worksheets/sheet1.xml": b"0" * (8 << 20)}))
        == "zip_bomb"
    )


def test_many_members_that_are_small_each_are_counted_together() -> None:
    parts = {f"part{number}": bytes(range(256)) * 400 for number in range(11)}
    content = packed(**parts)
    # None of them packs suspiciously well: only the sum says it.
    infos = zipfile.ZipFile(io.BytesIO(content)).infolist()
    assert max(info.file_size for info in infos) < archives.RATIO_FROM_BYTES
    assert archives.opened(io.BytesIO(content), total_max=11 * 102_400)
    with pytest.raises(FileRefusedError) as refused:
        archives.opened(io.BytesIO(content), total_max=11 * 102_400 - 1)
    assert refused.value.code == "zip_bomb"


def test_one_member_that_packs_too_well_is_refused_within_the_sum() -> None:
    content = packed(part=b"0" * (8 << 20))
    with pytest.raises(FileRefusedError) as refused:
        archives.opened(io.BytesIO(content), total_max=64 << 20)
    assert refused.value.code == "zip_bomb"


def test_a_zip_bomb_that_lies_about_its_size_is_cut_off() -> None:
    content = bytearray(packed(**{"xl/workbook.xml": b"0" * (4 << 20)}))
    for at, size in ((content.index(b"PK\x03\x04"), 22), (content.index(b"PK\x01\x02"), 24)):
        content[at + size : at + size + 4] = (10).to_bytes(4, "little")
    assert refusal(bytes(content)) == "zip_malformed"


def test_an_encrypted_zip_is_refused() -> None:
    content = bytearray(packed(**{"xl/workbook.xml": b"x"}))
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    assert refusal(bytes(content)) == "file_encrypted"


def test_a_workbook_with_a_password_says_so() -> None:
    # Excel puts the encrypted package into the container of the old format.
    assert (
        refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"))
        == "file_encrypted"
    )


def test_a_web_page_that_calls_itself_a_workbook_says_so() -> None:
    assert refusal("\ufeff\n<html><table><tr><td>姓名</td></tr></table></html>".encode()) == "file_is_markup"


def test_a_formula_that_was_calculated_is_its_value() -> None:
    content = altered(
        book(HEADER, ("=A9", *ROW[1:])),
        "xl/worksheets/sheet1.xml",
        lambda xml: re.sub(
            rb'<c r="A2"[^>]*><f>A9</f><v ?/?>(</v>)?</c>',
            '<c r="A2" t="str"><f>A9</f><v>张三</v></c>'.encode(),
            xml,
        ),
    )
    assert texts(read(content), "name") == ["张三"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../evil.jpg", "zip_path"),
        ("photos/../../evil.jpg", "zip_path"),
        ("/etc/passwd", "zip_path"),
        ("..\\evil.jpg", "zip_path"),
        ("C:evil.jpg", "zip_path"),
        ("photos/P1.jpg", None),
    ],
)
def test_paths_in_a_zip_member_are_refused(name: str, code: str | None) -> None:
    archive = archives.opened(io.BytesIO(packed(**{name: b"x"})), total_max=1 << 20)
    assert [member.refused for member in archives.members(archive)] == [code]


def test_a_link_in_a_zip_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("P1.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    archive = archives.opened(file, total_max=1 << 20)
    assert [member.refused for member in archives.members(archive)] == ["zip_not_a_file"]


def test_other_formats_in_a_zip_are_not_read() -> None:
    assert refusal(packed(**{"content.xml": b"<office/>"})) == "file_unknown"
    assert refusal(packed(**{"xl/workbook.bin": b"x"})) == "file_unknown"


def test_files_beyond_the_limits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "ROWS_MAX", 2)
    assert refusal(sheet(HEADER, ROW, ROW)) == "too_many_rows"
    assert refusal(book(HEADER, ROW, ROW)) == "too_many_rows"
    monkeypatch.setattr(sheets, "FILE_MAX", 10)
    assert refusal(sheet(HEADER, ROW)) == "file_too_large"
    assert refusal(b" \n") == "file_empty"


def test_a_sheet_of_too_many_cells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "CELLS_MAX", 5)
    assert refusal(book(HEADER, ROW)) == "too_many_cells"


def test_hidden_sheets_are_passed_over() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(book(("姓名", "地址"), ("甲", "1-1"))))
    page = workbook.create_sheet("人员")
    page.append(("姓名", "地址"))
    page.append(("乙", "1-1"))
    page.sheet_state = "hidden"
    file = io.BytesIO()
    workbook.save(file)
    assert texts(read(file.getvalue()), "name") == ["甲"]


def test_an_endless_cell_is_refused() -> None:
    assert refusal(sheet(HEADER, ("x" * 20_000, *ROW[1:]))) == "csv_malformed"


def test_merges_that_cover_each_other_are_a_trap() -> None:
    ranges = b"".join(b'<mergeCell ref="A2:A%d"/>' % (3 + n % 500) for n in range(3000))
    content = altered(
        book(HEADER, *[ROW] * 500, merges=("A2:A3",)),
        "xl/worksheets/sheet1.xml",
        lambda xml: re.sub(rb'<mergeCell ref="A2:A3" ?/>', ranges, xml),
    )
    assert refusal(content) == "workbook_malformed"


def test_names_of_columns_are_unambiguous_within_a_kind() -> None:
    for kind, columns in COLUMNS.items():
        for column in columns:
            assert BY_NAME[kind][header_key(column.names[0])] is column, (kind, column.key)


def test_a_title_does_not_decide_the_delimiter() -> None:
    content = "红花小区,住户登记表,2026\n姓名;地址;电话\n张三;3号楼2单元,1801;10012345678\n李四;3-2-1802;\n".encode()
    assert len(delimited.rows_of(content, rows_max=100)[1]) == 3
