"""What goes wrong with devices, and how often: shares of messages, shares of devices, counts.

Each fault is one that was seen on real devices. A plan draws them from its seed, so that the
same seed breaks the same message of the same device every time.
"""

import datetime as dt
import random
from typing import Final

import msgspec

# Whole hours that a clock is off by where somebody chose the wrong zone.
_ZONES: Final = (-8, -1, 1, 4)


class Faults(msgspec.Struct, frozen=True):
    """Shares lie in 0…1."""

    # Of messages at QoS 0: they leave the device and arrive nowhere.
    lost: float = 0.0
    # Of messages: they are sent twice.
    twice: float = 0.0
    # Of messages: the next ones overtake them.
    swapped: float = 0.0
    # Of happenings: a message that breaks off goes along with them.
    broken: float = 0.0
    # Of pictures: they end in the middle.
    cut: float = 0.0
    # Of answers of the protocol's own: the device does not hear them, and says it again.
    deaf: float = 0.0
    # Of devices: their clock is off by seconds or minutes, and drifts.
    wrong_clock: float = 0.0
    # Of devices: their clock is right, in another zone.
    wrong_zone: float = 0.0
    # Of devices: once they are away for some minutes, and tell afterwards what they kept.
    outage: float = 0.0
    # How often all devices lose their connection at once, and come back within ten minutes.
    storms: int = 0
    # Of devices: they are set back to how they left the factory, and count from one again.
    reset: float = 0.0
    # Devices that go mad, each for a while, and how many messages they then send.
    mad: int = 0
    mad_messages: int = 3000


NONE: Final = Faults()
MILD: Final = Faults(
    lost=0.01, twice=0.01, swapped=0.01, broken=0.003, cut=0.01, deaf=0.02, wrong_clock=0.05,
    wrong_zone=0.02, outage=0.05, storms=1, reset=0.02,
)  # fmt: skip
HARSH: Final = Faults(
    lost=0.05, twice=0.05, swapped=0.05, broken=0.02, cut=0.05, deaf=0.1, wrong_clock=0.2, wrong_zone=0.1,
    outage=0.25, storms=3, reset=0.1, mad=1,
)  # fmt: skip
LEVELS: Final = {"none": NONE, "mild": MILD, "harsh": HARSH}


class Fate(msgspec.Struct, frozen=True):
    """What becomes of the messages of one happening on their way."""

    lost: bool = False
    twice: bool = False
    swapped: bool = False
    broken: bool = False
    deaf: bool = False


WELL: Final = Fate()


class Clock(msgspec.Struct, frozen=True):
    """A device's clock: how far it is ahead of ours, and how many millionths it gains."""

    ahead: dt.timedelta = dt.timedelta(0)
    gains: float = 0.0

    def read(self, now: dt.datetime, since: dt.datetime) -> dt.datetime:
        """What it shows at the moment `now`; it was set right, or wrong, at `since`."""
        return now + self.ahead + (now - since) * (self.gains / 1e6)


def fate(faults: Faults, rng: random.Random) -> Fate:
    """Draws the same number of times whatever comes of it, so that one share changes no other's draws."""
    lost, twice, swapped, broken, deaf = (rng.random() for _ in range(5))
    return Fate(
        lost < faults.lost,
        twice < faults.twice,
        swapped < faults.swapped,
        broken < faults.broken,
        deaf < faults.deaf,
    )


def clock(faults: Faults, rng: random.Random) -> Clock:
    """A device's clock: usually right."""
    wrong, zone = rng.random(), rng.random()
    if zone < faults.wrong_zone:
        return Clock(dt.timedelta(hours=rng.choice(_ZONES)))
    if wrong < faults.wrong_clock:
        return Clock(dt.timedelta(seconds=rng.choice((-1, 1)) * rng.uniform(2, 900)), rng.uniform(-50, 50))
    return Clock()
