"""Addresses as people write them, in one spelling: "3号楼" = "3幢" = "3栋" = "3#" (domain.md §2.6).

Pure. Imports, queries and aliases all compare addresses by :func:`key`. Two readings are
guesses that had to be settled: a dash before a room separates ("3幢-101" is room 101; a
basement is written 负101 or B101), and "1801A" and "1801-A" are one room.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from registry.places.numerals import to_digits

_STEMS: Final = "甲乙丙丁戊己庚辛壬癸"
_SIDES: Final = "东南西北中"
# Rooms that are not lived in keep their word, one for each kind.
_ROOM_WORDS: Final = {
    "商铺": "沿街商铺|底商|商铺|店铺|铺面|门面房?|门市房?",
    "车库": "地下车库|车库",
    "车位": "停车位|车位",
    "储藏室": "储藏[室间]",
}
_ROOM_WORD: Final = "|".join(_ROOM_WORDS.values())
_NAMED: Final = "综合楼|物业楼|办公楼|商业楼|公寓楼|主楼|副楼|附楼|裙楼|会所|幼儿园"
_NUMBER: Final = (
    rf"(?:(?:[{_SIDES}A-Z]|[0-9]{{1,2}})[区期])?"
    rf"(?:[{_STEMS}东南西北]?[A-Z]{{0,2}}[0-9]{{1,4}}[A-Z{_STEMS}]?|[A-Z]{{1,2}}|[{_STEMS}])"
)
_STRONG: Final = re.compile(rf"(?<![0-9A-Z])({_NUMBER})-?(?:号楼|号?[幢栋座]|#楼?)|({_NAMED})")
# Weaker words, which mean a building only where none of the above stands.
_WEAK: Final = re.compile(
    rf"(?<![0-9])({_NUMBER})楼(?=[0-9A-Z]+单元)|(?<![0-9])({_NUMBER})号(?=[0-9A-Z]+单元|[0-9]+层|[0-9]{{3}})"
)
_DASHED: Final = re.compile(rf"(?<![0-9A-Z])({_NUMBER}|{_ROOM_WORD}|{_NAMED})-(.+)$")
_BARE: Final = re.compile(rf"{_NUMBER}|{_ROOM_WORD}|{_NAMED}")
_WORD_ALONE: Final = re.compile(rf"({_ROOM_WORD})-?([A-Z]?[0-9]{{1,4}}[A-Z]?)[号室]?$")
# "A1单元" needs its word, or a whole room number behind it; B1 before a dash is the basement.
_UNIT: Final = re.compile(
    rf"([0-9]{{1,2}}|[A-Z{_STEMS}{_SIDES}])(?:(?:单元|[门梯座])|-(?=.)|$)"
    r"|([A-Z][0-9]{1,2}|[0-9]{1,2}[A-Z])(?:单元|[门梯座])|([AC-Z][0-9]{1,2}|[0-9]{1,2}[A-Z])-(?=B?[0-9]{3})"
)
_FLOOR: Final = re.compile(
    r"(?:(?:地下|负|-(?=[1-3]))([0-9])(?:[层楼]|F)|地下()室?(?=[0-9])|B([0-9])(?:[层楼F]|-|(?=[A-Z]))"
    r"|([0-9]{1,2})(?:[-~至][0-9]{1,2})?(?:[层楼]|F))"
)
_FLOOR_DASH: Final = re.compile(r"([0-9]{1,2})-(?=[0-9A-Z]{2,})")
_ROOM: Final = re.compile(
    rf"({_ROOM_WORD})?-?(负|B-)?"
    rf"([A-Z]?[0-9]{{1,4}}[A-Z{_STEMS}{_SIDES}]?|[A-Z])"
    rf"(?:(?:室|号)?[-/、~至]([0-9]{{3,4}}|[0-9]{{1,2}}|[A-Z{_STEMS}]))?"
)
_ENDING: Final = re.compile(r"(?:室|号|户|房间?|铺|复式|跃层|LOFT|之)*")
_AT: Final = re.compile(r"@(-?[0-9]{1,2})$")
_LONGEST: Final = 128


class AddressError(ValueError):
    """No address; `code` says in which way, and the text is not repeated."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Address:
    """A place in a compound; None for a level that does not exist or was not named.

    `floor` is negative below ground and never 0. `room` is in its one spelling: "1801", "701",
    "1801A", "B101", "商铺3"; of joined rooms "1801-1802".
    """

    building: str
    unit: str | None = None
    floor: int | None = None
    room: str | None = None


def parse(text: str) -> Address:
    """Reads an address in any of its spellings; a leading name of the compound is passed over.

    Raises `AddressError`: `address_empty`, `address_long`, `address_building` (none can be made
    out), `address_floor` (there is no floor 0), `address_room` (what follows is not understood).
    """
    plain = _plain(text)
    at = _AT.search(plain)
    building, rest = _split(plain[: at.start()] if at else plain)
    if re.fullmatch("[0-9]{1,2}", rest) and re.fullmatch(f"{_ROOM_WORD}|{_NAMED}", building):
        # Shops and garages that stand by themselves have no units.
        rest = f"0-{rest}"
    unit, floor, room = _inside(rest)
    return _address(building, unit, int(at[1]) if at else floor, room)


def locate(building: str, unit: str, floor: int | None, room_no: str) -> Address:
    """The address that the names of a building, of a unit and of a room make together.

    `unit` is empty where the building has none. Raises `AddressError` as `parse` does.
    """
    _, below, room = _inside(f"0-{_plain(room_no)}")
    return _address(spell_building(building), spell_unit(unit), floor or below, room)


def spell_building(name: str) -> str:
    """A building's name in its one spelling: "三号楼" → "3". Raises `AddressError`."""
    plain = _plain(name)
    if _BARE.fullmatch(plain):
        return _building(plain)
    building, rest = _split(plain)
    if rest:
        raise AddressError("address_building")
    return building


def spell_unit(name: str) -> str | None:
    """A unit's name in its one spelling: "二单元" → "2"; None for an empty one or 0."""
    plain = _plain(name) if name.strip() else ""
    found = _UNIT.fullmatch(plain)
    return _unit(found[1] or found[2] if found else plain)


def floor_of(room: str | None) -> int | None:
    """The floor that a room number names: 1801 → 18, 701 → 7, B101 → -1, 18A → 18, shops 1."""
    if room is None:
        return None
    word, number = _worded(room)
    if below := re.match(r"B([1-9])[0-9]{2}(?![0-9])", number):
        return -int(below[1])
    if found := re.match(r"[A-Z]?([0-9]{1,2})[0-9]{2}(?![0-9])", number):
        return int(found[1]) or None
    if found := re.fullmatch(r"([0-9]{1,2})[A-Z]", number):
        return int(found[1]) or None
    return 1 if word == "商铺" else None


def key(address: Address) -> str:
    """The one spelling of an address, at most 64 characters; with a room `parse` reads it again.

    `building-unit-room`, unit 0 where there is none, with `@floor` after it where the room
    number does not say the floor; only `building` or `building-unit` for those.
    """
    spelt = address.building
    if address.unit is not None or address.floor is not None or address.room is not None:
        spelt += f"-{address.unit or 0}"
    if address.room is not None:
        spelt += f"-{address.room}"
    if address.floor is not None and address.floor != floor_of(address.room):
        spelt += f"@{address.floor}"
    return spelt


def code(community: str, grid: str, address: Address) -> str:
    """CCCCCCCCCCCC-GG-BBB-UU-FF-RRRR (domain.md §2.6): 00 for none, B1 for a basement.

    Letters stay ("甲03", "00A", "B101"); shops, garages, parking places and store rooms are S, G, P, C
    and a number; joined rooms count under the first. What is longer than its field stays whole. Raises
    `AddressError` with `code_community` or `code_grid` for what is not 12 or 2 digits.
    """
    if not re.fullmatch("[0-9]{12}", community):
        raise AddressError("code_community")
    if not re.fullmatch("[0-9]{2}", grid):
        raise AddressError("code_grid")
    floor = address.floor or 0
    storey = f"B{-floor}" if floor < 0 else f"{floor:02d}"
    word, number = _worded((address.room or "0").split("-")[0])
    letter = {"商铺": "S", "车库": "G", "车位": "P", "储藏室": "C"}.get(word, "")
    return "-".join(
        [
            community,
            grid,
            _pad(address.building, 3),
            _pad(address.unit or "0", 2),
            storey,
            letter + _pad(number, 4 - len(letter)),
        ]
    )


def _pad(text: str, width: int) -> str:
    """Zeros in front of the digits, after what stands before them: "甲3" → "甲03", "A" → "00A"."""
    digits = re.search("[0-9]", text)
    split = digits.start() if digits else 0
    return text[:split] + "0" * (width - len(text)) + text[split:]


def _plain(text: str) -> str:
    if len(text) > _LONGEST:
        raise AddressError("address_long")
    folded = "".join(unicodedata.normalize("NFKC", text).upper().split())
    folded = re.sub("[—–‐‑−_]", "-", re.sub("[()（）【】\\[\\],,。]", "", folded))
    folded = folded.replace("号#", "#").rstrip("-")
    if not folded:
        raise AddressError("address_empty")
    return to_digits(folded)


def _split(plain: str) -> tuple[str, str]:
    """The building in its one spelling, and what follows it."""
    if (found := _STRONG.search(plain)) or (found := _WEAK.search(plain)):
        return _building(found[1] or found[2]), plain[found.end() :]
    if found := _DASHED.search(plain):
        return _building(found[1]), found[2]
    if found := _WORD_ALONE.search(plain):
        return _room_word(found[1]), found[2]
    if _BARE.fullmatch(plain) and not re.fullmatch("[0-9]{4}", plain):
        return _building(plain), ""
    raise AddressError("address_building")


def _inside(rest: str) -> tuple[str | None, int | None, str | None]:
    """Unit, floor and room from what follows a building."""
    unit: str | None = None
    floor: int | None = None
    bare = rest.lstrip("-")
    if found := _UNIT.match(bare):
        unit, rest = found[1] or found[2] or found[3], bare[found.end() :]
    # Before a dash is taken for a separator it may belong to "-1层".
    if (found := _FLOOR.match(rest)) or (found := _FLOOR.match(rest.lstrip("-"))):
        floor, rest = _floor(found), found.string[found.end() :]
    elif found := _FLOOR_DASH.match(rest.lstrip("-")):
        floor, rest = int(found[1]), found.string[found.end() :]
    if floor == 0:
        raise AddressError("address_floor")
    return unit, floor, _room(rest.lstrip("-"))


def _floor(found: re.Match[str]) -> int:
    below, basement, lettered, above = found.groups()
    if above is not None:
        return int(above)
    return -1 if basement is not None else -int(below or lettered)


def _room(rest: str) -> str | None:
    if not rest:
        return None
    found = _ROOM.match(rest)
    if found is None or not _ENDING.fullmatch(rest[found.end() :]):
        raise AddressError("address_room")
    word, below, number, second = found.groups()
    room = ("B" if below else "") + _strip(number)
    if second is not None:
        room += second if not second.isdigit() else f"-{_strip(second)}"
    return (_room_word(word) if word else "") + room


def _address(building: str, unit: str | None, floor: int | None, room: str | None) -> Address:
    alone = building in _ROOM_WORDS
    if floor is not None and room is not None and not alone:
        room = _with_floor(floor, room)
    if floor is None:
        floor = floor_of(room) or (1 if building == "商铺" else None)
    return Address(building, _unit(unit), floor, room)


def _with_floor(floor: int, room: str) -> str:
    """The whole room number where only its end was written: floor 18, room 01 → 1801."""
    word, number = _worded(room)
    storey = str(floor) if floor > 0 else f"B{-floor}"
    if word:
        return room
    if re.fullmatch("[0-9]{1,2}", number):
        return f"{storey}{int(number):02d}"
    if re.fullmatch("[A-Z]", number) and floor > 0:
        return f"{storey}{number}"
    # 地下1层101 is what others write as B101.
    if floor < 0 and re.match(f"{-floor}[0-9]{{2}}(?![0-9])", number):
        return f"B{number}"
    return room


def _building(text: str) -> str:
    area = re.match("(.+?[区期])(.+)", text)
    if area:
        return area[1].lstrip("0") + _strip(area[2])
    return _room_word(text) if re.fullmatch(_ROOM_WORD, text) else _strip(text)


def _unit(text: str | None) -> str | None:
    return _strip(text).removeprefix("0")[:8] or None if text else None


def _strip(text: str) -> str:
    """Without the zeros that fill a number up: "0701" → "701", "A03" → "A3", "00" → "0"."""
    return re.sub("(?<![0-9])0+(?=[0-9])", "", text)


def _room_word(text: str) -> str:
    return next(word for word, spellings in _ROOM_WORDS.items() if re.fullmatch(spellings, text))


def _worded(room: str) -> tuple[str, str]:
    word = next((word for word in _ROOM_WORDS if room.startswith(word)), "")
    return word, room.removeprefix(word)
