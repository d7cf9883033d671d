"""What an import is going to write: rows to make and rows to change, none of it written yet."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from storage import new_id

ORDER: Final = (
    "zones",
    "buildings",
    "units",
    "dwellings",
    "organisations",
    "households",
    "people",
    "residences",
    "credentials",
    "vehicles",
    "premises",
    "staff",
    "authorised_drivers",
)
"""Tables in the order in which rows refer to each other: first what is referred to."""

_SEALED_BESIDE: Final = {"name_key": "name", "phone_key": "phone", "id_key": "id_number"}

Row = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """One row to be written; `held` is what the registry has of it, None where it is to be made.

    Of people `values` hold `name`, `phone` and `id_number`, and of credentials `ref`, as
    plain text: they are sealed when they are written.
    """

    table: str
    id: str
    held: Row | None
    values: Row


@dataclass(slots=True)
class Plan:
    """Drafts by table and id, and what was looked at and found to be as the sheet says."""

    compound: str
    _drafts: dict[tuple[str, str], Draft] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def make(self, table: str, values: Row) -> Row:
        """Drafts a new row; returns it as it will be, with its id."""
        row = {"id": new_id(), "compound": self.compound, **values}
        self._drafts[table, row["id"]] = Draft(table, row["id"], None, row)
        return row

    def change(self, table: str, row: Row, values: Mapping[str, Any]) -> bool:
        """Drafts what is different in a row, known or drafted; changes `row` itself to match."""
        key = table, row["id"]
        self._seen.add(key)
        different = {name: value for name, value in values.items() if row.get(name) != value}
        if not different:
            return False
        draft = self._drafts.get(key)
        if draft is None:
            self._drafts[key] = draft = Draft(table, row["id"], dict(row), {})
        draft.values.update(different)
        row.update(different)
        if draft.held is not None:
            self._drop_what_came_back(draft, draft.held)
        return True

    def _drop_what_came_back(self, draft: Draft, held: Row) -> None:
        """Two rows of a sheet may say different things, the last of them what is there already."""
        for name in [name for name, value in draft.values.items() if held.get(name) == value]:
            del draft.values[name]
            # A sealed column cannot be compared; the hash beside it can.
            draft.values.pop(_SEALED_BESIDE.get(name, ""), None)
        if not draft.values:
            del self._drafts[draft.table, draft.id]

    def in_order(self) -> Iterator[Draft]:
        """All drafts, those first that others refer to."""
        place = {table: number for number, table in enumerate(ORDER)}
        yield from sorted(
            self._drafts.values(),
            # A guardian goes in before the child; what frees a number before what takes it.
            key=lambda draft: (
                place[draft.table],
                draft.values.get("guardian") is not None,
                draft.held is None,
            ),
        )

    def __len__(self) -> int:
        return len(self._drafts)

    def counts(self) -> dict[str, dict[str, int]]:
        """Created, updated and unchanged by table."""
        made = Counter(draft.table for draft in self._drafts.values() if draft.held is None)
        changed = Counter(draft.table for draft in self._drafts.values() if draft.held is not None)
        same = Counter(table for table, row_id in self._seen if (table, row_id) not in self._drafts)
        return {
            table: {"created": made[table], "updated": changed[table], "unchanged": same[table]}
            for table in ORDER
            if made[table] or changed[table] or same[table]
        }
