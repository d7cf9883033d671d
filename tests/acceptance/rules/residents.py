"""Who lives, works and visits in the stories of the building ring: what the register says of them."""

import datetime as dt

from telling import MORNING

from alerts.rules import PassFacts, PersonFacts

DAY = 24 * 3600.0
HOUR = 3600.0


def lives(name: str, *buildings: str, **more: object) -> dict:
    """Facts of an observation of somebody who lives in these buildings."""
    facts = PersonFacts(
        id=name, household_id=f"family-{name}", belongs=True, buildings=frozenset(buildings), **more
    )
    return {"person_id": name, "person": facts, "household_id": f"family-{name}"}


def works(name: str) -> dict:
    return {"person_id": name, "person": PersonFacts(id=name, belongs=True, staff=True)}


def moved_out(name: str, last_day: dt.date | None = None) -> dict:
    return {"person_id": name, "person": PersonFacts(id=name, tenancy_ended_on=last_day)}


def visits(name: str = "pass-1", *zones: str, kind: str = "visitor", **more: object) -> dict:
    """Facts of an observation of a pass that opens these zones, for a day around the story."""
    given = {"starts_at": MORNING - dt.timedelta(hours=2), "ends_at": MORNING + dt.timedelta(hours=20)} | more
    return {"visit": PassFacts(id=name, kind=kind, zones=frozenset(zones), **given)}
