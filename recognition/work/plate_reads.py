"""Readings of plates: of one event's pictures, and of the events beside it on one track or lane."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bus.messages import EventStored
from recognition.decisions import PlateText, alike
from recognition.models import DecisionRow
from recognition.plates import PlateRead
from registry.plates import UNREAD, normalise
from storage.events import EventRow


@dataclass(frozen=True, slots=True)
class PlateReads:
    """What devices read, and what we read, of one passage."""

    stated: tuple[PlateText, ...] = ()
    own: tuple[PlateText, ...] = ()


def told_by(event: EventStored) -> PlateText | None:
    """The device's own reading, with its scores of single characters where it gives them."""
    if event.plate is None or normalise(event.plate.text) is None:
        return None
    return _stated(event.plate.text, event.plate.confidence, event.attributes.get("character_scores"))


def text_of(read: PlateRead) -> PlateText:
    """Our reading as evidence; behind an unread character stands what it may be."""
    characters = tuple(
        (glyph, one.probability, one.char if glyph == UNREAD else one.runner_up)
        for glyph, one in zip(read.text, read.characters, strict=False)
    )
    return PlateText(read.text, read.confidence, characters)


def as_evidence(read: PlateRead) -> dict[str, Any]:
    """Our reading as it is kept with the decision; `from_evidence` understands it."""
    return {
        "text": read.text,
        "confidence": read.confidence,
        "class": read.plate_class.value,
        "colour": read.colour,
        "double_row": read.double_row,
        "characters": [list(character) for character in text_of(read).characters],
    }


def from_evidence(evidence: Mapping[str, Any]) -> PlateReads:
    """The readings that a decision rested on."""
    told = evidence.get("device_read")
    read_here = tuple(
        PlateText(
            read["text"],
            read["confidence"],
            tuple((str(c[0]), float(c[1]), c[2]) for c in read.get("characters", ())),
        )
        for read in evidence.get("own_reads", ())
    )
    if told is None:
        return PlateReads((), read_here)
    return PlateReads((_stated(told["text"], told["confidence"], told.get("characters")),), read_here)


def beside(session: Session, event: EventStored, gap: dt.timedelta) -> tuple[tuple[bool, PlateReads], ...]:
    """Readings of events at most ``gap`` away on one device track or lane, decided on before, and
    whether the device itself says that they are of one track.
    """
    if event.track is None and event.lane is None:
        return ()
    query = (
        select(DecisionRow.evidence, EventRow.body)
        .join(EventRow, EventRow.id == DecisionRow.event_id)
        .where(
            DecisionRow.compound == event.compound,
            DecisionRow.event_id != event.id,
            DecisionRow.subject_kind == "plate",
            DecisionRow.at.between(event.at - gap, event.at + gap),
        )
        .order_by(DecisionRow.at, DecisionRow.sighting_id)
    )
    if event.track is not None:
        query = query.where(DecisionRow.device == event.device_id)
    else:
        query = query.where(EventRow.lane == event.lane)
    return tuple(
        (event.track is not None, from_evidence(evidence))
        for evidence, body in session.execute(query)
        if event.track is None or body.get("track") == event.track
    )


def together(
    reads: PlateReads, others: Sequence[tuple[bool, PlateReads]], registered: Collection[str]
) -> PlateReads:
    """The readings of a passage: of this event, and of those beside it that are of this vehicle.

    A track's are, which the device itself follows. On a lane another vehicle may come within the
    seconds: only what may be a misreading of this one counts, and no other registered plate is.
    """
    here = (*reads.stated, *reads.own)

    def ours(read: PlateText, *, tracked: bool) -> bool:
        text = normalise(read.text)
        if tracked or text in {normalise(one.text) for one in here}:
            return True
        return text not in registered and any(alike(read, one) for one in here)

    stated, own = list(reads.stated), list(reads.own)
    for tracked, other in others:
        stated += [read for read in other.stated if ours(read, tracked=tracked)]
        own += [read for read in other.own if ours(read, tracked=tracked)]
    return PlateReads(tuple(stated), tuple(own))


def _stated(text: str | None, confidence: float | None, scores: Any) -> PlateText:
    """``scores`` are one probability, 0…1, for each character; anything else is left aside."""
    plate = normalise(text) or ""
    known = isinstance(scores, list) and all(isinstance(s, int | float) and 0 <= s <= 1 for s in scores)
    if not known or len(scores) != len(plate):
        return PlateText(text, confidence)
    return PlateText(text, confidence, tuple((c, float(s), None) for c, s in zip(plate, scores, strict=True)))
