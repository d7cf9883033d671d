"""Every spelling of an address is one address."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registry.places.addresses import (
    Address,
    AddressError,
    code,
    floor_of,
    key,
    locate,
    parse,
    spell_building,
    spell_unit,
)

CHINESE = "零一二三四五六七八九"


def chinese(number: int) -> str:
    """A numeral below 100 by tens: 12 → 十二, 30 → 三十."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{CHINESE[tens]}十"
    return head + (CHINESE[ones] if ones or not tens else "")


def by_digit(text: str) -> str:
    return "".join(CHINESE[int(digit)] for digit in text)


def wide(text: str) -> str:
    """Digits and Latin letters at full width, as input methods leave them."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


numbered = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "甲", "A", "S", "东"]),
    st.integers(1, 199),
    st.sampled_from(["", "", "B"]),
)
buildings = numbered | st.sampled_from(["A", "C", "甲", "2期3", "东区12", "综合楼"])
units = st.none() | st.integers(1, 20).map(str) | st.sampled_from(["A", "东", "甲", "A1", "2B"])
rooms = st.builds(
    "{}{:02d}{}".format, st.integers(1, 40), st.integers(1, 30), st.sampled_from(["", "", "A", "-1"])
)


@given(buildings, units, rooms, st.data())
def test_every_spelling_of_an_address_is_the_same_address(
    building: str, unit: str | None, room: str, data: st.DataObject
) -> None:
    floor = floor_of(room)
    assert floor is not None
    address = Address(building, unit, floor, room)
    word = (
        ""
        if building == "综合楼"
        else data.draw(st.sampled_from(["号楼", "幢", "栋", "座", "#", "#楼", "号幢"]))
    )
    spelt_unit = "" if unit is None else f"{unit}{data.draw(st.sampled_from(['单元', '门', '梯']))}"
    spelt_floor = data.draw(
        st.sampled_from(["", f"{floor}层", f"{chinese(floor)}层", f"{floor}F", f"{floor}楼"])
    )
    spelt_room = room + data.draw(st.sampled_from(["", "室", "号", "户"]))
    if room.isdigit() and spelt_floor:
        spelt_room = data.draw(st.sampled_from([spelt_room, f"{room[-2:]}室"]))
    name = data.draw(st.sampled_from(["", "红花小区", "隆阳区人民路88号红花苑", "八一小区"]))
    text = f"{name}{building}{word}{spelt_unit}{spelt_floor}{spelt_room}"
    text = data.draw(st.sampled_from([text, wide(text), " ".join(text), text.lower()]))
    assert parse(text) == address
    assert key(parse(text)) == key(address)


@given(buildings, units, st.none() | rooms, st.none() | st.integers(-3, 40).filter(bool))
def test_a_key_reads_back_as_its_address(
    building: str, unit: str | None, room: str | None, floor: int | None
) -> None:
    # A1 by itself, without a room behind it, would be taken for one.
    assume(room is not None or unit not in {"A1", "2B"})
    address = Address(building, unit, floor) if room is None else locate(building, unit or "", floor, room)
    spelt = key(address)
    assert len(spelt) <= 64
    assert parse(spelt) == address


@given(st.integers(1, 99), st.integers(1, 20), st.integers(1, 40), st.integers(1, 30))
def test_chinese_numerals_and_dashes_say_the_same(building: int, unit: int, floor: int, flat: int) -> None:
    room = f"{floor}{flat:02d}"
    spelt = f"{building}-{unit}-{room}"
    for text in (
        f"{chinese(building)}号楼{chinese(unit)}单元{by_digit(room)}室",
        f"{chinese(building)}幢{chinese(unit)}单元{chinese(floor)}层{by_digit(room)}",
        spelt,
        f"{building}-{unit}-{floor}-{flat:02d}",
        f"{building:02d}-{unit:02d}-{floor:02d}{flat:02d}",
        f"{building}—{unit}—{room}",
        f"{building}幢-{unit}-{room}室",
    ):
        assert key(parse(text)) == spelt


@given(st.text(max_size=140))
def test_any_text_is_an_address_or_a_named_error(text: str) -> None:
    try:
        said = key(parse(text))
    except AddressError as error:
        said = error.code
    assert 0 < len(said) <= 64


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("12幢701", Address("12", None, 7, "701")),
        ("12-701", Address("12", None, 7, "701")),
        ("甲3幢1801-A", Address("甲3", None, 18, "1801A")),
        ("A栋301", Address("A", None, 3, "301")),
        ("3号1801室", Address("3", None, 18, "1801")),
        ("3楼2单元1801", Address("3", "2", 18, "1801")),
        ("3栋A座1801", Address("3", "A", 18, "1801")),
        ("3栋18A", Address("3", None, 18, "18A")),
        ("3栋A1单元1801", Address("3", "A1", 18, "1801")),
        ("3-2B-1801", Address("3", "2B", 18, "1801")),
        ("3栋18层A室", Address("3", None, 18, "18A")),
        ("5幢地下1层B101", Address("5", None, -1, "B101")),
        ("5幢地下一层101", Address("5", None, -1, "B101")),
        ("5幢B1层101", Address("5", None, -1, "B101")),
        ("5幢负一层101室", Address("5", None, -1, "B101")),
        ("5幢-1层101", Address("5", None, -1, "B101")),
        ("5幢负101", Address("5", None, -1, "B101")),
        ("5幢地下1层5号", Address("5", None, -1, "B105")),
        ("3幢2单元1801-1802复式", Address("3", "2", 18, "1801-1802")),
        ("3幢2单元1801/1802室", Address("3", "2", 18, "1801-1802")),
        ("3幢2单元17-18层1701", Address("3", "2", 17, "1701")),
        ("3幢1801-1室", Address("3", None, 18, "1801-1")),
        ("商铺3号", Address("商铺", None, 1, "3")),
        ("红花小区底商3", Address("商铺", None, 1, "3")),
        ("5幢商铺3号", Address("5", None, 1, "商铺3")),
        ("5幢2层商铺3号", Address("5", None, 2, "商铺3")),
        ("车库12号", Address("车库", None, None, "12")),
        ("5幢地下1层车库12号", Address("5", None, -1, "车库12")),
        ("二期3幢301", Address("2期3", None, 3, "301")),
        ("3幢17层1801", Address("3", None, 17, "1801")),
        ("3幢", Address("3")),
        ("3幢2单元", Address("3", "2")),
        ("3幢2单元18层", Address("3", "2", 18)),
    ],
)
def test_what_people_write_is_understood(text: str, address: Address) -> None:
    assert parse(text) == address
    assert parse(key(address)) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "address_empty"),
        (" - ", "address_empty"),
        ("3" * 129, "address_long"),
        ("1801", "address_building"),
        ("红花小区", "address_building"),
        ("3幢0层1", "address_floor"),
        ("3幢2单元张三", "address_room"),
        ("3幢2单元1801室张三", "address_room"),
    ],
)
def test_what_is_no_address_says_in_which_way(text: str, said: str) -> None:
    with pytest.raises(AddressError) as refused:
        parse(text)
    assert refused.value.code == said


@pytest.mark.parametrize(
    ("building", "unit", "floor", "room_no", "text"),
    [
        ("3栋", "2单元", 18, "1801", "3幢2单元1801"),
        ("三号楼", "二单元", 18, "01", "3-2-1801"),
        ("12", "", 7, "701室", "12幢701"),
        ("5幢", "", -1, "B101", "5幢地下1层101"),
        ("5幢", "1", -1, "5", "5幢1单元负一层5号"),
        ("5", "", 1, "商铺3", "5幢底商3号"),
        ("商铺", "", 1, "3", "红花小区商铺3号"),
        ("甲3幢", "0", 18, "1801-A", "甲3号楼1801A"),
    ],
)
def test_a_dwellings_own_names_make_the_address_that_people_write(
    building: str, unit: str, floor: int, room_no: str, text: str
) -> None:
    assert key(locate(building, unit, floor, room_no)) == key(parse(text))


@pytest.mark.parametrize("name", ["3", "3幢", "三栋", "03号楼", "3#"])
def test_a_buildings_name_has_one_spelling(name: str) -> None:
    assert spell_building(name) == "3"


@pytest.mark.parametrize("name", ["3幢2单元", "停车场", ""])
def test_what_is_more_or_less_than_a_building_is_refused(name: str) -> None:
    with pytest.raises(AddressError):
        spell_building(name)


def test_a_building_without_units_has_none() -> None:
    assert [spell_unit(name) for name in ("", " ", "0", "00", "02单元", "东门")] == [
        None,
        None,
        None,
        None,
        "2",
        "东",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3幢2单元1801", "003-02-18-1801"),
        ("12幢701", "012-00-07-0701"),
        ("5幢地下1层B101", "005-00-B1-B101"),
        ("甲3幢1801-A", "甲03-00-18-1801A"),
        ("A栋301", "00A-00-03-0301"),
        ("5幢商铺3号", "005-00-01-S003"),
        ("3幢2单元1801-1802", "003-02-18-1801"),
        ("5幢车库12号", "005-00-00-G012"),
    ],
)
def test_a_code_has_a_field_for_each_level(text: str, said: str) -> None:
    assert code("530502001001", "03", parse(text)) == f"530502001001-03-{said}"


@pytest.mark.parametrize(("community", "grid"), [("5305", "03"), ("530502001001", "3")])
def test_a_code_needs_whole_numbers_of_community_and_grid(community: str, grid: str) -> None:
    with pytest.raises(AddressError):
        code(community, grid, parse("3幢301"))
