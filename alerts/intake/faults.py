"""Which incidents are something to repair, and what makes two of them one work order. Pure."""

from collections.abc import Mapping
from typing import Final

from alerts.incidents.lifecycle import State

FAULTS: Final[Mapping[str, str]] = {
    "R-D01": "offline",
    "R-D02": "sight_lost",
    "R-D03": "storm",
    "R-D05": "clock",
    "R-D06": "quality",
    "R-D07": "command",
}
"""Rules about devices, and what is wrong with the device then."""

DAMAGED: Final = "damaged"
CHANNEL_DEAD: Final = "channel_dead"

EVERY: Final = (*FAULTS.values(), DAMAGED, CHANNEL_DEAD, "lamp", "door", "lift", "other")
"""Every code that an order may bear; the last few are entered by hand."""


def fault_of(rule: str, kind: str, to: State) -> str | None:
    """What an incident's step makes something to repair; None where it does not.

    A device's fault is one once somebody has confirmed it; what people say is broken is looked at at once.
    """
    if kind == "reported.damaged" and to is State.RAISED:
        return DAMAGED
    return FAULTS.get(rule) if to is State.CONFIRMED else None


def open_key(device: str | None, contact: str | None, place: str | None, fault: str) -> str:
    """What is one order while it is not repaired: everything about one device, else place and fault."""
    if device:
        return f"device:{device}"
    return f"contact:{contact}" if contact else f"place:{place}:{fault}"
