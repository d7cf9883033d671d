"""One row of a sheet, read cell by cell; what is wrong is collected, not raised."""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from registry import citizen_id, plates, spelling
from registry.imports import dates, words
from registry.imports.columns import COLUMNS
from registry.imports.faults import Fault
from registry.imports.sheets import Sheet
from registry.imports.workbooks import Cell
from registry.places.addresses import Address, AddressError, locate, parse

Meaning = TypeVar("Meaning")

_LIMITS: Final = {kind: {c.key: c.limit for c in columns} for kind, columns in COLUMNS.items()}
# From 2**53 on a float no longer tells neighbours apart; Excel keeps 15 digits.
_EXACT: Final = 10**15
_SCIENTIFIC: Final = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]{2,3}", re.IGNORECASE)
_EXCEL_ERRORS: Final = {"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"}
_INVISIBLE: Final = re.compile(
    "[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f\\u200b-\\u200f\\u202a-\\u202e\\u2060\\ufeff]"
)
# What an export puts before a text that a spreadsheet would take for a formula.
_ESCAPED: Final = re.compile(r"^'(?=[=+\-@\t\r])")
_SEVERAL: Final = re.compile(r"[/、,，;；\n|]+")


class Line:
    """A row with its faults. A blank cell is None and says nothing: an import never empties."""

    __slots__ = ("_cells", "_limits", "_sheet", "faults", "number")

    def __init__(self, sheet: Sheet, number: int, cells: list[Cell]) -> None:
        self.number = number
        self.faults: list[Fault] = []
        self._sheet = sheet
        self._cells = cells
        self._limits = _LIMITS[sheet.kind]
        if number in sheet.too_long:
            self.fault(None, "row_too_long")

    def is_good(self) -> bool:
        """Whether nothing but warnings was found so far."""
        return not self.faults or all(fault.is_warning for fault in self.faults)

    def fault(self, column: str | None, code: str, **facts: Any) -> None:
        self.faults.append(Fault(self.number, column, code, facts))

    def cell(self, column: str) -> Cell:
        """The cell as it came; None where it is blank or there is no such column."""
        position = self._sheet.columns.get(column)
        cell = None if position is None else self._cells[position]
        return None if isinstance(cell, str) and not cell.strip() else cell

    def text(self, column: str, *, required: bool = False) -> str | None:
        """The cell's text, as people see it in the sheet."""
        cell = self.cell(column)
        if cell is None:
            if required:
                self.fault(column, "required")
            return None
        if isinstance(cell, str):
            return self._clean(column, cell)
        if isinstance(cell, bool):
            return "是" if cell else "否"
        if isinstance(cell, int | float):
            if not abs(cell) < _EXACT:
                self.fault(column, "number_lost_digits")
                return None
            return str(int(cell)) if cell == int(cell) else repr(cell)
        # Excel makes 3-2 into the third of February.
        self.fault(column, "cell_is_date")
        return None

    def day(self, column: str) -> dt.date | None:
        """The day in a cell."""
        cell = self.cell(column)
        if cell is None:
            return None
        try:
            return dates.read(cell)
        except dates.DateError as error:
            self.fault(column, error.code)
            return None

    def last_day(self, column: str) -> dt.date | None:
        """Like `day`, where words for "no end" are none."""
        cell = self.cell(column)
        return None if cell is None or dates.is_open(cell) else self.day(column)

    def period(self, since: str = "since", until: str = "until") -> tuple[dt.date | None, dt.date | None]:
        """Two days, the second not before the first."""
        first, last = self.day(since), self.last_day(until)
        if first is not None and last is not None and last < first:
            self.fault(until, "ends_before_begins")
        return first, last

    def word(self, column: str, table: Mapping[str, Meaning]) -> Meaning | None:
        """What a word stands for; unknown ones are a fault."""
        text = self.text(column)
        if text is None:
            return None
        meaning = table.get(words.spell(text))
        if meaning is None:
            self.fault(column, "unknown_word")
        return meaning

    def phone(self, column: str) -> str | None:
        """A phone number in its one spelling; the first where there are several."""
        text = self._number(column)
        if text is None:
            return None
        parts = [part for part in _SEVERAL.split(text) if part.strip()]
        try:
            spelt = spelling.phone(parts[0] if parts else text)
        except spelling.PhoneError as error:
            self.fault(column, error.code)
            return None
        if len(parts) > 1:
            self.fault(column, "several_phones")
        return spelt

    def id_number(self, column: str) -> str | None:
        """A checked citizen id number. One that an export has masked says nothing."""
        text = self._number(column)
        if text is None or "****" in text:
            return None
        try:
            return citizen_id.check(text)
        except citizen_id.CitizenIdError as error:
            self.fault(column, error.code)
            return None

    def plate(self, column: str) -> str | None:
        """One plate, normalised."""
        text = self.text(column)
        return None if text is None else self._plate(column, text)

    def plates(self, column: str) -> list[str]:
        """The plates in a cell, normalised."""
        text = self.text(column)
        if text is None:
            return []
        parts = [part for part in _SEVERAL.split(text) if part.strip()]
        return [plate for plate in (self._plate(column, part) for part in parts) if plate]

    def address(self, *, required: bool = False, floor: int | None = None) -> Address | None:
        """The address of a row: in one cell, or in those of building, unit and room."""
        whole = self.text("address")
        building, unit, room = self.text("building"), self.text("unit"), self.text("room")
        try:
            if building is not None and room is not None:
                return locate(building, unit or "", floor, room)
            if whole is not None:
                return parse(whole)
        except AddressError as error:
            self.fault("room" if whole is None else "address", error.code)
            return None
        if building is not None or unit is not None or room is not None:
            self.fault("building" if building is None else "room", "required")
        elif required:
            self.fault("address", "required")
        return None

    def _plate(self, column: str, text: str) -> str | None:
        plate = plates.normalise(text)
        if plate is not None and not plates.is_well_formed(plate):
            self.fault(column, "plate_ill_formed")
            return None
        return plate

    def _number(self, column: str) -> str | None:
        """The text of a number that Excel may have shortened."""
        text = self.text(column)
        if text is not None and _SCIENTIFIC.fullmatch(text):
            self.fault(column, "number_lost_digits")
            return None
        return text

    def _clean(self, column: str, cell: str) -> str | None:
        text = _ESCAPED.sub("", _INVISIBLE.sub("", unicodedata.normalize("NFC", cell))).strip()
        if text in _EXCEL_ERRORS:
            self.fault(column, "cell_error")
            return None
        if len(text) > self._limits.get(column, 64):
            self.fault(column, "text_too_long", maximum=self._limits.get(column, 64))
            return None
        return text or None
