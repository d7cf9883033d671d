"""From a plate event to a finding: the device's text is stated, our reading stands beside it."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bus.messages import EventStored
from recognition.decisions import PlateDecision, PlateOutcome, decide_plate
from recognition.plates import PlateRead, PlateReader
from recognition.work.finding import NO_PLATE, NO_USABLE_PICTURE, Finding
from recognition.work.pictures import PLATE_ROLES, load
from recognition.work.plate_reads import PlateReads, as_evidence, text_of, together, told_by
from registry.models import Vehicle
from registry.passes.admission import plates_expected
from registry.plates import NEAR_LIMIT, PlateClass, always_allowed, normalise
from storage import MediaStore

_DEVICE: Final = "device"
_LONGEST: Final = 16
"""Characters of a plate that are kept: what is longer is damage, and no plate has ten."""


@dataclass(frozen=True, slots=True)
class KnownPlate:
    """A plate that may be here: of a registered vehicle, or of a pass in force (no vehicle)."""

    vehicle_id: str | None
    household_id: str | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """Our readings of an event's pictures, what was wrong, and whether any was looked at."""

    reads: list[PlateRead]
    troubles: tuple[str, ...]
    looked: bool


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

    def look(
        self,
        event: EventStored,
        known: dict[str, KnownPlate],
        beside: Sequence[tuple[bool, PlateReads]] = (),
    ) -> Finding:
        """``beside`` are readings of events of the same track (True) or lane (see `plate_reads`)."""
        told = told_by(event)
        seen = self._read(event)
        evidence: dict[str, Any] = {}
        if seen.reads:
            evidence["own_reads"] = [as_evidence(read) for read in seen.reads]
        if told is not None:
            evidence["device_read"] = {"text": told.text, "confidence": told.confidence}
            if told.characters:
                evidence["device_read"]["characters"] = [chance for _, chance, _ in told.characters]
        here = PlateReads(() if told is None else (told,), tuple(map(text_of, seen.reads)))
        passage = together(here, beside, known.keys())
        decision = decide_plate(passage.own, known.keys(), stated=passage.stated)
        if decision.text is None:
            return self._nothing(event, seen, evidence)
        engine, version = (_DEVICE, None) if passage.stated else self._engine(seen)
        return _finding(decision, known, seen, evidence, engine, version, passage)

    def _nothing(self, event: EventStored, seen: _Seen, evidence: dict[str, Any]) -> Finding:
        # A device that says "no plate" and sends no picture has looked for us.
        said = event.plate is not None and event.plate.text is not None
        looked = seen.looked or event.type == "plate.none" or said
        own = ("no_plate",) if looked else () if seen.troubles else ("no_picture",)
        engine, version = self._engine(seen)
        return Finding(
            "plate",
            NO_PLATE if looked else NO_USABLE_PICTURE,
            (*own, *seen.troubles),
            engine=engine,
            engine_version=version,
            evidence=evidence,
        )

    def _engine(self, seen: _Seen) -> tuple[str | None, str | None]:
        return (self._reader.name, self._reader.version) if self._reader and seen.looked else (None, None)

    def _read(self, event: EventStored) -> _Seen:
        """The first plate of each picture."""
        reads: list[PlateRead] = []
        troubles: dict[str, None] = {}
        looked = False
        if self._reader is None:
            return _Seen(reads, (), looked)
        for picture in load(event, self._media, PLATE_ROLES):
            if isinstance(picture, str):
                troubles[picture] = None
                continue
            looked = True
            reads.extend(self._reader.read(picture.rgb)[:1])
        # A cut-out reads worse than the scene around it; damage must not outvote a plate.
        formed = [read for read in reads if read.plate_class is not PlateClass.UNKNOWN]
        return _Seen(formed or reads, tuple(troubles), looked)


def _finding(
    decision: PlateDecision,
    known: dict[str, KnownPlate],
    seen: _Seen,
    evidence: dict[str, Any],
    engine: str | None,
    version: str | None,
    passage: PlateReads,
) -> Finding:
    text = decision.text or ""
    match = known.get(text) if decision.outcome is PlateOutcome.IDENTIFIED else None
    reasons = [*decision.reasons, *seen.troubles]
    if match is not None and match.vehicle_id is None:
        reasons[0] = "visitor_pass"
    if decision.outcome is PlateOutcome.UNKNOWN and always_allowed(text):
        reasons.insert(1, "always_allowed")
    return Finding(
        "plate",
        decision.outcome.value,
        tuple(reasons),
        household_id=match.household_id if match else None,
        vehicle_id=match.vehicle_id if match else None,
        plate=text[:_LONGEST],
        score=decision.confidence,
        threshold=NEAR_LIMIT,
        gallery_size=len(known),
        engine=engine,
        engine_version=version,
        candidates=tuple({"plate": plate, "cost": cost} for plate, cost in decision.candidates),
        frames=len(passage.stated) + len(passage.own),
        evidence=evidence,
    )
