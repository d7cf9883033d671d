"""Residences while a sheet is read: which known one a row corrects, and which are new."""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from registry.imports.faults import Fault
from registry.imports.ground import Ground
from registry.imports.lines import Line
from registry.imports.plan import Plan, Row
from registry.people.models import ResidenceKind
from registry.people.residences import AHEAD, EARLIEST, LONGEST, overlap

_FOR_EVER: Final = dt.date.max


@dataclass(frozen=True, slots=True)
class Stay:
    """What a row says of a person in a dwelling; None where it says nothing."""

    dwelling: str
    kind: ResidenceKind | None
    since: dt.date | None
    until: dt.date | None
    verified_on: dt.date | None
    verified_by: str | None


class Tenure:
    """The residences of a compound, those included that this import is about to add."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self._ground = ground
        self._plan = plan
        # The row that a residence was last said by.
        self._said: dict[str, int] = {}
        self._new: list[tuple[int, Row]] = []
        self._guessed = 0

    def refuse(self, line: Line, person: Row | None, stay: Stay) -> None:
        """Adds to the row what is wrong with it: days out of reach, a second stay in one dwelling."""
        today = self._ground.today
        if stay.since is not None and not EARLIEST <= stay.since <= today + AHEAD:
            line.fault("since", "date_range")
        if stay.until is not None and stay.until > today + LONGEST:
            line.fault("until", "date_range")
        if stay.verified_on is not None and stay.verified_on > today:
            line.fault("verified_on", "date_in_future")
        if person is None:
            return
        known, others = self._match(person, stay)
        if known is not None and known["id"] in self._said:
            line.fault("name", "duplicate_person", first_row=self._said[known["id"]])
        since = stay.since or (known["since"] if known else None)
        until = stay.until or (known["until"] if known else None)
        if since is not None and until is not None and until < since:
            if stay.since is None or stay.until is None:
                line.fault("until", "ends_before_begins")
            return
        period = since or today, until
        if any(overlap(period, (other["since"], other["until"])) for other in others):
            line.fault("since", "residence_overlaps")

    def settle(self, row_number: int, person: Row, stay: Stay) -> None:
        """Drafts the residence of a row that nothing is wrong with."""
        known, _ = self._match(person, stay)
        if known is None:
            self._make(row_number, person, stay)
            return
        values = {
            "kind": stay.kind or known["kind"],
            "since": stay.since or known["since"],
            "until": stay.until or known["until"],
            "verified_on": stay.verified_on or known["verified_on"],
            "verified_by": stay.verified_by or known["verified_by"],
        }
        if (values["kind"], values["since"]) != (known["kind"], known["since"]) and stay.verified_on is None:
            # What somebody made sure of was another residence.
            values["verified_on"] = values["verified_by"] = None
        self._plan.change("residences", known, values)
        self._said[known["id"]] = row_number

    def doubts(self) -> list[Fault]:
        """What is to be looked at: kinds that were guessed, and people who may have moved.

        A sheet is often of one building, so a home that it does not speak of is not ended.
        """
        faults = [
            Fault(row_number, "address", "lives_elsewhere_too")
            for row_number, person in self._new
            if any(row["id"] not in self._said and self._lasts(row) for row in self._of(person))
        ]
        if self._guessed:
            faults.append(Fault(0, "residence_kind", "residence_kind_assumed", {"rows": self._guessed}))
        return faults

    def _make(self, row_number: int, person: Row, stay: Stay) -> None:
        today = self._ground.today
        kind = stay.kind
        if kind is None:
            self._guessed += 1
            kind = ResidenceKind.TENANT if stay.until is not None else ResidenceKind.OWNER_OCCUPIER
        row = self._plan.make(
            "residences",
            {
                "person": person["id"],
                "dwelling": stay.dwelling,
                "kind": kind,
                "since": stay.since or min(today, stay.until or today),
                "until": stay.until,
                "verified_on": stay.verified_on,
                "verified_by": stay.verified_by,
                "external_id": None,
                "version": 1,
            },
        )
        self._ground.residences.setdefault(person["id"], []).append(row)
        self._said[row["id"]] = row_number
        self._new.append((row_number, person))

    def _of(self, person: Row) -> list[Row]:
        return self._ground.residences.get(person["id"], [])

    def _match(self, person: Row, stay: Stay) -> tuple[Row | None, list[Row]]:
        """The known residence that a row means, and the others in that dwelling."""
        here = [row for row in self._of(person) if row["dwelling"] == stay.dwelling]
        found: Row | None = None
        if stay.since is None:
            found = max(here, key=lambda row: row["until"] or _FOR_EVER, default=None)
        else:
            same = [row for row in here if row["since"] == stay.since]
            period = stay.since, stay.until
            met = same or [row for row in here if overlap(period, (row["since"], row["until"]))]
            found = met[0] if met else None
        return found, [row for row in here if row is not found]

    def _lasts(self, row: Row) -> bool:
        gone = row["until"] is not None and row["until"] < self._ground.today
        return not gone and row["kind"] != ResidenceKind.REGISTERED_ABSENT
