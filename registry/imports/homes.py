"""Households of a compound while a sheet is read: which one a row belongs to, and who heads it."""

from collections import defaultdict

from registry.imports.ground import Ground
from registry.imports.lines import Line
from registry.imports.plan import Plan, Row


class Homes:
    """Households by their number and by the dwelling that they live in."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self._ground = ground
        self._plan = plan
        self._by_external: dict[str, Row] = {}
        self._in_dwelling: defaultdict[str, list[Row]] = defaultdict(list)
        # The row and person of the sheet that a household's head came from.
        self._heads: dict[str, tuple[int, str]] = {}
        # Members in the order of the sheet: row number, person, whether known to be under 14.
        self._members: defaultdict[str, list[tuple[int, str, bool]]] = defaultdict(list)
        for row in ground.households.values():
            self._add(row)

    def find(
        self, line: Line, external_id: str | None, dwelling: str | None, person: Row | None
    ) -> Row | None:
        """The household that a row speaks of, None where it has yet to be made."""
        if external_id is not None:
            return self._by_external.get(external_id)
        if person is not None and person["household"] is not None:
            # Whoever has a household and a second dwelling does not get a second household.
            return self._ground.households[person["household"]]
        if dwelling is None:
            return None
        known = self._in_dwelling[dwelling]
        if len(known) > 1:
            line.fault("household", "household_ambiguous")
        return known[0] if known else None

    def make(self, external_id: str | None, dwelling: str | None) -> Row:
        """A new household."""
        row = self._plan.make(
            "households",
            {
                "dwelling": dwelling,
                "head_person_id": None,
                "external_id": external_id or self._ground.derived_id("household", dwelling or ""),
                "version": 1,
            },
        )
        self._ground.households[row["id"]] = row
        self._add(row)
        return row

    def refuse_second_head(self, line: Line, household: Row | None, person: Row | None) -> None:
        """A household has one head; the first row that says so has said it."""
        head = self._heads.get(household["id"]) if household else None
        if head is not None and (person is None or person["id"] != head[1]):
            line.fault("head", "two_heads", first_row=head[0])

    def refuse_departing_head(self, line: Line, household: Row | None, person: Row | None) -> None:
        """The head of one household does not turn up in another while others are left in the first."""
        if person is None or person["household"] is None or household is None:
            return
        if person["household"] == household["id"]:
            return
        before = self._ground.households[person["household"]]
        if before["head_person_id"] == person["id"]:
            line.fault("household", "head_of_another_household")

    def join(self, row_number: int, household: Row, person: Row, *, head: bool, child: bool) -> None:
        """Takes a person in, as the head where the row says so."""
        self._plan.change("people", person, {"household": household["id"]})
        self._members[household["id"]].append((row_number, person["id"], child))
        if head:
            self._heads[household["id"]] = row_number, person["id"]
            self._plan.change(
                "households", household, {"head_person_id": person["id"], "dwelling": household["dwelling"]}
            )
        else:
            self._plan.change("households", household, {})

    def headless(self) -> list[tuple[int, bool]]:
        """Gives a head to every household of the sheet that has none: its first adult.

        Returns each such household's first row and whether there was an adult.
        """
        found = []
        for household_id, members in self._members.items():
            household = self._ground.households[household_id]
            if household["head_person_id"] is not None:
                continue
            adult = next((person for _, person, child in members if not child), None)
            if adult is not None:
                self._plan.change("households", household, {"head_person_id": adult})
            found.append((members[0][0], adult is not None))
        return found

    def _add(self, row: Row) -> None:
        if row["external_id"] is not None:
            self._by_external[row["external_id"]] = row
        if row["dwelling"] is not None:
            self._in_dwelling[row["dwelling"]].append(row)
