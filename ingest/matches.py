"""Whom a terminal's match means: the person whom we put there under the reference it names.

The message carries the person, the stored event does not: what a device said stays what it
said, and a reference that is forgotten on its terminal leads to nobody afterwards.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy.orm import Session

from bus.messages import EventStored
from devices import enrolments


def resolved(session: Session, messages: Sequence[EventStored]) -> list[EventStored]:
    """The messages in the same order, each match with its person; others as they were."""
    shown = {
        (message.device_id, message.match.person_ref)
        for message in messages
        if message.match is not None and message.match.person_ref
    }
    people = enrolments.people_at(session, {(device, ref) for device, ref in shown if ref})
    if not people:
        return list(messages)
    return [_with_person(message, people) for message in messages]


def _with_person(message: EventStored, people: dict[tuple[str, str], str]) -> EventStored:
    match = message.match
    person = people.get((message.device_id, match.person_ref or "")) if match is not None else None
    if match is None or person is None:
        return message
    return msgspec.structs.replace(message, match=msgspec.structs.replace(match, person_id=person))
