"""What would have kept a rule silent, as an observation: made up, and as plain as such things come."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from alerts.rules import Observation, PersonFacts, Site
from alerts.rules.rule import Excuse

_SOMEBODY: Final = "somebody"
_ID: Final = "counterfactual"


def variants(excuse: Excuse, anchor: Observation, site: Site, at: dt.datetime) -> Iterator[Observation]:
    """The forms in which an excuse may come at a moment: where, which way, and who, as the rule may want."""
    for place in _places(excuse, anchor, site):
        for direction in dict.fromkeys((anchor.direction, "in", "out", None)):
            for who in _people(excuse, anchor):
                yield Observation(
                    id=_ID,
                    type=excuse.type,
                    at=at,
                    received_at=at,
                    direction=direction,
                    event_id=_ID,
                    cause=None if excuse.cause == "ended" else excuse.cause,
                    attributes={"ended": True} if excuse.cause == "ended" else {},
                    until=at + dt.timedelta(days=1),
                    **place,
                    **who,
                )


def _places(excuse: Excuse, anchor: Observation, site: Site) -> Iterator[dict[str, Any]]:
    here = {"device": anchor.device, "lane": anchor.lane, "zone": anchor.zone, "ring": anchor.ring}
    yield here
    if excuse.where == "subject":
        # Somewhere else: somebody was seen to come in, or has signed off at the gate.
        seen = set()
        for device in site.in_ring("entrance"):
            if device.zone not in seen:
                seen.add(device.zone)
                yield {"device": device.id, "lane": device.lane, "zone": device.zone, "ring": "entrance"}


def _people(excuse: Excuse, anchor: Observation) -> Iterator[dict[str, Any]]:
    if excuse.where == "subject":
        visit = anchor.visit
        if visit is not None and excuse.type == "visitor.extended":
            visit = replace(visit, ends_at=visit.ends_at + dt.timedelta(days=1))
        yield {
            "person_id": anchor.person_id,
            "household_id": anchor.household_id,
            "vehicle_id": anchor.vehicle_id,
            "plate": anchor.plate,
            "credential_id": anchor.credential_id,
            "token": anchor.token,
            "person": anchor.person,
            "visit": visit,
            "vehicle": anchor.vehicle,
            "dwelling": anchor.dwelling,
        }
        return
    yield {}
    if excuse.type.startswith("face.") or excuse.type == "access.granted":
        drivers = sorted(anchor.vehicle.drivers) if anchor.vehicle is not None else []
        for person in [*drivers[:1], _SOMEBODY]:
            facts = PersonFacts(person, belongs=True, staff=True, buildings=frozenset({anchor.zone}))
            yield {"person_id": person, "person": facts, "score": 0.3}
    if excuse.type.startswith("plate."):
        yield {"plate": anchor.plate or "counterfactual", "score": 0.97}
