"""Cards and plates while a sheet is read: whose each is, and who still needs a way in."""

import datetime as dt
from collections.abc import Collection

from registry import lookups
from registry.credentials.coverage import covered
from registry.credentials.issuing import spell_ref
from registry.credentials.models import CredentialKind, CredentialStatus, first_credential_row
from registry.errors import RefusedError
from registry.imports.ground import Ground
from registry.imports.lines import Line
from registry.imports.plan import Plan, Row
from registry.vehicles.models import VehicleKind


class Keys:
    """Credentials of a compound by their number."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self._ground = ground
        self._plan = plan
        self._active = {
            row["ref_key"]: row
            for rows in ground.credentials.values()
            for row in rows
            if row["status"] == CredentialStatus.ACTIVE and row["ref_key"] is not None
        }

    def spell(self, line: Line, column: str, kind: CredentialKind) -> tuple[str, str] | None:
        """A credential's number in its one spelling and its key; None where there is none or it is wrong."""
        text = line.text(column)
        if text is None:
            return None
        try:
            spelt = spell_ref(kind, text)
        except RefusedError as error:
            line.fault(column, error.code, **error.facts)
            return None
        if spelt is None:
            line.fault(column, "ref_unexpected")
            return None
        return spelt, lookups.credential_key(self._ground.compound, kind, spelt)

    def holder(self, key: str) -> Row | None:
        """The active credential with a number."""
        return self._active.get(key)

    def refuse_taken(self, line: Line, column: str, key: str | None, person: Row | None) -> None:
        """A number that opens for somebody opens for nobody else."""
        known = None if key is None else self._active.get(key)
        if known is not None and (person is None or known["person"] != person["id"]):
            line.fault(column, "card_of_another")

    def give(
        self,
        person: Row,
        kind: CredentialKind,
        number: tuple[str, str],
        *,
        status: CredentialStatus = CredentialStatus.ACTIVE,
        starts_at: dt.datetime | None = None,
        ends_at: dt.datetime | None = None,
        external_id: str | None = None,
    ) -> Row:
        """Drafts a credential."""
        spelt, key = number
        row = self._plan.make(
            "credentials",
            {
                "person": person["id"],
                "kind": kind,
                "status": status,
                # Of a PIN only the key is kept: it can be compared, and never read.
                "ref": None if kind is CredentialKind.PIN else spelt,
                "ref_key": key,
                "zones": [],
                "starts_at": starts_at or self._ground.at,
                "ends_at": ends_at,
                "external_id": external_id,
                "version": 1,
            },
        )
        self.note(row)
        self._ground.credentials.setdefault(person["id"], []).append(row)
        return row

    def note(self, row: Row) -> None:
        """Keeps the index right after a credential was drafted or changed."""
        if row["status"] == CredentialStatus.ACTIVE:
            self._active[row["ref_key"]] = row
        elif self._active.get(row["ref_key"]) is row:
            del self._active[row["ref_key"]]

    def cover(self, people: Collection[str]) -> None:
        """Gives the guard's call to everybody who would be left with a face or with nothing (L-03)."""
        for person in people:
            held = self._ground.credentials.get(person, [])
            validities = [
                (row["starts_at"], row["ends_at"])
                for row in held
                if row["status"] == CredentialStatus.ACTIVE and row["kind"] != CredentialKind.FACE
            ]
            if not covered(validities, self._ground.at):
                row = first_credential_row(self._ground.compound, person, self._ground.at)
                self._ground.credentials.setdefault(person, []).append(self._plan.make("credentials", row))


class Plates:
    """Vehicles of a compound by their plate."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self._ground = ground
        self._plan = plan

    def refuse_taken(self, line: Line, plate: str, household: Row | None) -> None:
        """A plate belongs to one household; of a household that has yet to be made it is new."""
        known = self._ground.vehicles.get(plate)
        if known is None:
            return
        theirs = known["household"] is not None and (
            household is None or known["household"] != household["id"]
        )
        if theirs or known["organisation"] is not None:
            line.fault("plates", "plate_of_another")

    def give(self, plate: str, household: Row, person: Row) -> None:
        """Drafts a resident's vehicle."""
        known = self._ground.vehicles.get(plate)
        if known is not None:
            owner = known["owner"] or person["id"]
            self._plan.change("vehicles", known, {"household": household["id"], "owner": owner})
            return
        self._ground.vehicles[plate] = self._plan.make(
            "vehicles",
            {
                "plate": plate,
                "household": household["id"],
                "kind": VehicleKind.RESIDENT,
                "owner": person["id"],
                "organisation": None,
                "external_id": None,
                "version": 1,
            },
        )
