"""Slots of a roster as they are stored, and what makes a roster one that can be kept."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from alerts.duty.roster import Slot
from registry.errors import RefusedError

SLOTS_MOST = 40
PEOPLE_MOST = 500


def written(slots: Sequence[Slot]) -> list[dict[str, Any]]:
    """As JSON; `read` gives the same back."""
    return [_plain(slot) for slot in slots]


def _plain(slot: Slot) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(slot)
    found["days"] = sorted(found["days"])
    return found


def read(stored: Sequence[Mapping[str, Any]]) -> tuple[Slot, ...]:
    """Raises `msgspec.ValidationError` for what `written` has not written."""
    return msgspec.convert(list(stored), tuple[Slot, ...])


def people(slots: Sequence[Slot]) -> frozenset[str]:
    """Everybody who has a turn."""
    return frozenset(one for slot in slots for group in slot.rotation.groups for one in group)


def check(slots: Sequence[Slot], responders: Collection[str], zones: Collection[str]) -> None:
    """Raises `RefusedError`: roster_empty, roster_slot_twice, roster_too_large, roster_nobody,
    roster_turn, roster_person_twice, responder_unknown, roster_zone_unknown.
    """
    if not slots:
        raise RefusedError("roster_empty")
    if len(slots) > SLOTS_MOST or len(people(slots)) > PEOPLE_MOST:
        raise RefusedError("roster_too_large", slots=SLOTS_MOST, people=PEOPLE_MOST)
    if len({slot.key for slot in slots}) < len(slots):
        raise RefusedError("roster_slot_twice")
    for slot in slots:
        groups = slot.rotation.groups
        if not groups or not all(groups) or not slot.days:
            raise RefusedError("roster_nobody", slot=slot.key)
        if not 1 <= slot.rotation.every <= 366 or slot.people < 0:
            raise RefusedError("roster_turn", slot=slot.key)
        if any(len(set(group)) < len(group) for group in groups):
            raise RefusedError("roster_person_twice", slot=slot.key)
        if slot.post is not None and slot.post not in zones:
            raise RefusedError("roster_zone_unknown", slot=slot.key)
    if people(slots) - set(responders):
        raise RefusedError("responder_unknown")
