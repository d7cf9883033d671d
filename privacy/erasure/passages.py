"""Forgetting where a person went: the event log and decisions lose whom they are about.

Rows of the event log are otherwise never changed (L-22). This is no correction: what is left
says that somebody passed here then, and is no longer data on a person (PIPL art. 4, 47). The
mark `erased` says that it was done.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, or_, select, type_coerce, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from bus.deadletters import DeadLetter
from privacy.erasure.marks import Marks, scrub
from recognition.models import DecisionRow
from storage.events import EventAmendment, EventRow

ERASED: Final = "erased"


@dataclass(frozen=True, slots=True)
class Swept:
    """What one batch did: pictures that are to go, and events that something still keeps.

    `kept` says of each whether the passage is the person's own, or they were a candidate only.
    """

    media: list[str] = field(default_factory=list)
    kept: dict[str, bool] = field(default_factory=dict)
    events: int = 0


def find(session: Session, marks: Marks) -> list[str]:
    """Ids of all events that say something of a person, by themselves or by what was decided on them."""
    decided = select(DecisionRow.event_id).where(
        DecisionRow.compound == marks.compound,
        or_(
            DecisionRow.person_id == marks.person,
            DecisionRow.vehicle_id.in_(marks.vehicles),
            DecisionRow.plate.in_(marks.plates),
            *mention(DecisionRow.candidates, [marks.person, *marks.vehicles]),
            *mention(DecisionRow.evidence, [*marks.plates, *marks.terminal_refs]),
        ),
    )
    found = dict.fromkeys(session.scalars(decided))
    terms = [*marks.refs, *(ref.lower() for ref in marks.refs), *marks.terminal_refs, *marks.plates]
    mentioned = mention(EventRow.body, terms)
    if mentioned:
        query = select(EventRow.id).where(EventRow.compound == marks.compound, or_(*mentioned))
        found |= dict.fromkeys(session.scalars(query))
    later = mention(EventAmendment.body, terms)
    if later:
        told = select(EventAmendment.event_id).where(EventAmendment.compound == marks.compound, or_(*later))
        found |= dict.fromkeys(session.scalars(told))
    if marks.ref_keys:
        found |= dict.fromkeys(_by_key(session, marks))
    return list(found)


def sweep(
    session: Session,
    marks: Marks,
    event_ids: Collection[str],
    frozen: Collection[str],
    own: Collection[str] = (),
) -> Swept:
    """Takes the person out of some events and of the decisions on them, except for frozen ones.

    `own` are events that are known to be of the person although the marks no longer say so.
    """
    decisions = session.scalars(
        select(DecisionRow).where(DecisionRow.compound == marks.compound, DecisionRow.event_id.in_(event_ids))
    ).all()
    theirs = {*own, *(d.event_id for d in decisions if _is_of(d, marks))}
    kept: dict[str, bool] = {}
    media: dict[str, None] = {}
    touched = 0
    amendments = _amendments(session, marks, event_ids)
    for event in session.scalars(
        select(EventRow).where(EventRow.compound == marks.compound, EventRow.id.in_(event_ids))
    ):
        told = (event, *amendments.get(event.id, ()))
        # Whoever is named once is named: what was said first and what became known later are one passage.
        is_own = event.id in theirs or any(_names(one.body, marks) for one in told)
        if event.id in frozen:
            kept[event.id] = is_own
        elif is_own:
            theirs.add(event.id)
            media |= dict.fromkeys(media_id for one in told for media_id in _redact(one, marks))
            touched += 1
    for decision in decisions:
        if decision.event_id not in kept:
            _unlink(decision, marks, own=decision.event_id in theirs)
    session.flush()
    return Swept(list(media), kept, touched)


def find_letters(session: Session, marks: Marks) -> list[str]:
    """Ids of refused messages whose bytes say something of a person; they are sealed, so each is opened."""
    terms = [t.encode() for t in (*marks.refs, *marks.terminal_refs, *marks.plates)]
    if not terms:
        return []
    query = (
        select(DeadLetter.id, DeadLetter.raw)
        .where(DeadLetter.compound == marks.compound, DeadLetter.raw.is_not(None))
        .execution_options(yield_per=50)
    )
    return [
        row.id
        for row in session.execute(query)
        if any(term in row.raw or term.lower() in row.raw for term in terms)
    ]


def empty_letters(session: Session, letter_ids: Sequence[str]) -> None:
    """That something was refused, and why, stays; its bytes go."""
    session.execute(update(DeadLetter).where(DeadLetter.id.in_(letter_ids)).values(raw=None))


def mention(column: InstrumentedAttribute[Any], terms: Sequence[str]) -> list[ColumnElement[bool]]:
    """Whether stored JSON holds one of these as a whole value."""
    # As the text that it is: the column's own type would encode the term once more.
    text = type_coerce(column, Text)
    return [text.contains(f'"{term}"', autoescape=True) for term in dict.fromkeys(terms)]


def _by_key(session: Session, marks: Marks) -> list[str]:
    """Events whose credential has one of the keyed hashes that are left: every presented one is hashed."""
    found: list[str] = []
    for table, key in ((EventRow, EventRow.id), (EventAmendment, EventAmendment.event_id)):
        query = (
            select(key.label("id"), table.body)
            .where(table.compound == marks.compound, type_coerce(table.body, Text).contains('"credential"'))
            .execution_options(yield_per=1000)
        )
        found += (row.id for row in session.execute(query) if _names(row.body, marks))
    return found


def _amendments(
    session: Session, marks: Marks, event_ids: Collection[str]
) -> dict[str, list[EventAmendment]]:
    found: dict[str, list[EventAmendment]] = {}
    for one in session.scalars(
        select(EventAmendment).where(
            EventAmendment.compound == marks.compound, EventAmendment.event_id.in_(event_ids)
        )
    ):
        found.setdefault(one.event_id, []).append(one)
    return found


def _names(body: Mapping[str, Any], marks: Marks) -> bool:
    """Whether an event itself says who it was: by a credential, a terminal's reference or a plate."""
    credential, match, plate = (body.get(part) or {} for part in ("credential", "match", "plate"))
    return (
        marks.of_credential(credential.get("kind"), credential.get("ref"))
        or match.get("person_ref") in marks.terminal_refs
        or marks.of_plate(plate.get("text"))
    )


def _redact(event: EventRow | EventAmendment, marks: Marks) -> list[str]:
    """Empties an event, or what became known of it, of who it was.

    Returns its pictures, which it no longer names.
    """
    body = dict(event.body)
    if body.get("credential"):
        body["credential"] = {**body["credential"], "ref": None}
    if body.get("match"):
        body["match"] = {**body["match"], "person_ref": None}
    if body.get("plate"):
        body["plate"] = {**body["plate"], "text": None}
    body["attributes"] = scrub(body.get("attributes") or {}, marks)
    media = [picture["media_id"] for picture in body.get("pictures") or () if picture.get("media_id")]
    body["pictures"] = []
    event.body = body
    event.marks = [*event.marks, *([] if ERASED in event.marks else [ERASED])]
    return media


def _is_of(decision: DecisionRow, marks: Marks) -> bool:
    """Whether a decision is on a passage of this person, not merely one in which they were compared."""
    return (
        decision.person_id == marks.person
        or decision.vehicle_id in marks.vehicles
        or marks.of_plate(decision.plate)
    )


def _unlink(decision: DecisionRow, marks: Marks, *, own: bool) -> None:
    """Takes the person out of a decision; where the passage was their `own`, whatever it named."""
    ours = {marks.person, *marks.vehicles}
    stay = [c for c in decision.candidates if not ours & {c.get("person_id"), c.get("vehicle_id")}]
    homes = {c.get("household_id") for c in stay}
    if len(stay) < len(decision.candidates) and decision.household_id not in homes:
        # A household of which nobody else was near would say who it was.
        decision.household_id = None
    decision.candidates = scrub(stay, marks)
    decision.evidence = scrub(decision.evidence, marks)
    if not own:
        return
    decision.person_id = decision.household_id = decision.vehicle_id = decision.plate = None
    # What a device said of it, in its own words, and our own reading of the plate.
    decision.evidence = {}
