"""Addresses as they are shown: "3幢2单元18层1801室", from the names of a building, a unit and a room.

Pure; the other direction is `registry.places.addresses`.
"""

import re

_NUMBER = re.compile(r"[甲乙丙丁戊己庚辛壬癸东南西北]?[A-Za-z]{0,2}\d*[A-Za-z]?")


def write_out(building: str, unit: str, floor: int, room_no: str) -> str:
    """What is written on a letter to a dwelling, without the compound's name."""
    return f"{write_unit(building, unit)}{storey(floor)}{_room(room_no)}"


def write_unit(building: str, unit: str) -> str:
    """A stairwell, or the building alone where it has no units."""
    stairs = f"{unit}单元" if _NUMBER.fullmatch(unit) and unit.strip("0") else unit.strip("0")
    return f"{write_building(building)}{stairs}"


def write_building(name: str) -> str:
    """A building's own name; one that is a bare number gets 幢."""
    return f"{name}幢" if _NUMBER.fullmatch(name) else name


def storey(floor: int) -> str:
    """A floor, counted down below ground."""
    return f"{floor}层" if floor > 0 else f"地下{-floor}层"


def _room(room_no: str) -> str:
    return room_no if re.search("[室号户铺库位]$", room_no) else f"{room_no}室"
