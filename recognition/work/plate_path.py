"""From a plate event to a finding: the device's text decides, our reading stands beside it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bus.messages import EventStored
from recognition.decisions import PlateOutcome, PlateText, decide_plate
from recognition.plates import PlateRead, PlateReader
from recognition.work.finding import NO_PLATE, NO_USABLE_PICTURE, Finding
from recognition.work.pictures import PLATE_ROLES, load
from registry.models import Vehicle
from registry.passes.admission import plates_expected
from registry.plates import NEAR_LIMIT, PlateClass, always_allowed, edit_cost, normalise
from storage import MediaStore

_DEVICE: Final = "device"
_LONGEST: Final = 16
"""Characters of a plate that are kept: what is longer is damage, and no plate has ten."""


@dataclass(frozen=True, slots=True)
class KnownPlate:
    """A plate that may be here: of a registered vehicle, or of a pass in force (no vehicle)."""

    vehicle_id: str | None
    household_id: str | None


def known_plates(session: Session, compound: str, at: dt.datetime) -> dict[str, KnownPlate]:
    """Registered plates of a compound and those of passes in force at ``at``, normalised."""
    known = {
        text: KnownPlate(None, household)
        for plate, household in session.execute(plates_expected(compound, at))
        if (text := normalise(plate)) is not None
    }
    vehicles = select(Vehicle.plate, Vehicle.id, Vehicle.household).where(Vehicle.compound == compound)
    known.update({plate: KnownPlate(vehicle, home) for plate, vehicle, home in session.execute(vehicles)})
    return known


class PlatePath:
    """Decides plate events. Without a reader only what devices read themselves is matched."""

    def __init__(self, reader: PlateReader | None, media: MediaStore) -> None:
        self._reader = reader
        self._media = media

    def look(self, event: EventStored, known: dict[str, KnownPlate]) -> Finding:
        told = event.plate
        text = normalise(told.text) if told else None
        reads, troubles, seen = self._read(event)
        evidence: dict[str, Any] = {"own_reads": [_as_json(read) for read in reads]} if reads else {}
        engine, version = self._engine(seen)
        texts = [PlateText(read.text, read.confidence) for read in reads]
        if told is not None and text is not None:
            evidence["device_read"] = {"text": told.text, "confidence": told.confidence}
            texts = [PlateText(text, told.confidence)]
            engine, version = _DEVICE, None
        decision = decide_plate(texts, known.keys())
        if decision.text is None:
            # A device that says "no plate" and sends no picture has looked for us.
            looked = seen or event.type == "plate.none" or (told is not None and told.text is not None)
            own = ("no_plate",) if looked else () if troubles else ("no_picture",)
            return Finding(
                "plate",
                NO_PLATE if looked else NO_USABLE_PICTURE,
                (*own, *troubles),
                engine=engine,
                engine_version=version,
                evidence=evidence,
            )
        match = known.get(decision.text) if decision.outcome is PlateOutcome.IDENTIFIED else None
        reasons = [*decision.reasons, *_second_opinion(text, reads), *troubles]
        if match is not None and match.vehicle_id is None:
            reasons[0] = "visitor_pass"
        if decision.outcome is PlateOutcome.UNKNOWN and always_allowed(decision.text):
            reasons.insert(1, "always_allowed")
        return Finding(
            "plate",
            decision.outcome.value,
            tuple(reasons),
            household_id=match.household_id if match else None,
            vehicle_id=match.vehicle_id if match else None,
            plate=decision.text[:_LONGEST],
            score=decision.confidence,
            threshold=NEAR_LIMIT,
            gallery_size=len(known),
            engine=engine,
            engine_version=version,
            candidates=tuple({"plate": plate, "cost": cost} for plate, cost in decision.candidates),
            evidence=evidence,
        )

    def _engine(self, seen: bool) -> tuple[str | None, str | None]:
        return (self._reader.name, self._reader.version) if self._reader and seen else (None, None)

    def _read(self, event: EventStored) -> tuple[list[PlateRead], tuple[str, ...], bool]:
        """The largest plate of each picture, what was wrong, and whether any was looked at."""
        reads: list[PlateRead] = []
        troubles: dict[str, None] = {}
        seen = False
        if self._reader is None:
            return reads, (), False
        for picture in load(event, self._media, PLATE_ROLES):
            if isinstance(picture, str):
                troubles[picture] = None
                continue
            seen = True
            reads.extend(self._reader.read(picture.rgb)[:1])
        # A cut-out reads worse than the scene around it; damage must not outvote a plate.
        formed = [read for read in reads if read.plate_class is not PlateClass.UNKNOWN]
        return formed or reads, tuple(troubles), seen


def _second_opinion(text: str | None, reads: list[PlateRead]) -> tuple[str, ...]:
    if text is None or not reads:
        return ()
    nearest = min(edit_cost(text, read.text) for read in reads)
    return ("second_opinion_agrees",) if nearest == 0 else ("second_opinion_differs",)


def _as_json(read: PlateRead) -> dict[str, Any]:
    return {
        "text": read.text,
        "confidence": read.confidence,
        "class": read.plate_class.value,
        "colour": read.colour,
        "double_row": read.double_row,
    }
