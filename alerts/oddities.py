"""What contradicts the register or the clock in an observation. Rules see it all the same.

An event is a fact even where its device is set up wrongly: refusing it would lose an alarm for
somebody's mistake on a form. So it is judged as far as it goes, marked, and counted, and whoever
looks after the devices sees which of them to go to.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from alerts.rules import Observation, Site
from alerts.rules.engine import FUTURE

MARK: Final = "odd"
"""The attribute that says so, for whoever explains an incident later."""

_WAYS: Final = frozenset({"in", "out"})


def oddities(observation: Observation, site: Site) -> Sequence[str]:
    """Codes of what is odd: `unknown_zone`, `future`, `direction_differs`."""
    found: list[str] = []
    if observation.zone not in site.zones:
        # Of the ring that it came with; near nothing, since nobody knows where it lies.
        found.append("unknown_zone")
    if observation.at - observation.received_at > FUTURE:
        # Kept as history alone: a clock that runs ahead would hide everything that comes before it.
        found.append("future")
    device = site.devices.get(observation.device)
    if (
        device is not None
        and device.direction in _WAYS
        and observation.direction in _WAYS
        and device.direction != observation.direction
    ):
        # What was seen counts, not what was meant: cameras look both ways, and people turn back.
        found.append("direction_differs")
    return found


def marked(observation: Observation, found: Sequence[str]) -> Observation:
    """The observation with its oddities said of it."""
    if not found:
        return observation
    return replace(observation, attributes={**observation.attributes, MARK: list(found)})
