"""Why a door or barrier opened: the causes that devices tell (the integrators' guide), and what they mean.

Each rule takes its sets from here, so that a cause means the same wherever it is read.
"""

from typing import Final

EXIT_BUTTON: Final = "exit_button"
INTERCOM: Final = "intercom"
EGRESS: Final = "fire_release"
"""Why a door stands open that fire has released; nothing about it is ever an offence (L-23)."""

BY_STAFF: Final = frozenset({"manual_open", "remote_open"})
"""The guard's key, or the control room: somebody who is responsible for the way has opened it."""
BY_HAND: Final = BY_STAFF | {INTERCOM}
"""Somebody looked, and opened: the guard, the control room or a household; for how many, no device tells."""
MEANT_OPEN: Final = frozenset({"schedule", EGRESS})
"""The way stands open for everybody until it closes: a school run, a removal, an evacuation."""
LAWFUL: Final = BY_HAND | MEANT_OPEN | {EXIT_BUTTON}
"""All that a device can say of what released a door. Egress is never an offence (L-23)."""
