"""What can be wrong with a file and with its rows: codes that both catalogues have texts for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


class FileRefusedError(Exception):
    """The file as a whole cannot be read; `code` and `facts` say why, without its content."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Fault:
    """Something about one row (0: the file as a whole), never with what stood in the cell."""

    row: int
    column: str | None
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_warning(self) -> bool:
        """Whether the row goes in nevertheless."""
        return self.code in WARNINGS


WARNINGS: Final = frozenset(
    {
        "column_ignored",
        "column_sensitive",
        "column_twice",
        "first_adult_is_head",
        "heads_unknown",
        "lives_elsewhere_too",
        "guardian_unknown",
        "household_without_head",
        "residence_kind_assumed",
        "several_phones",
    }
)
"""Codes that ask for a look and refuse nothing."""
