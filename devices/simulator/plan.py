"""What happens to a fleet within some minutes: the same for the same seed, message by message."""

import bisect
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from devices.simulator import faults as wrong
from devices.simulator.faults import WELL, Clock, Fate, Faults
from devices.simulator.fleet import PURPOSES, Member
from devices.simulator.wires import WIRES, Happening

Act = Literal["tell", "cut", "reset"]

# The hour from seven to eight: people leave for work and school, most of them after half past.
_PEAK_MINUTE: Final = 35.0
_PEAK_WIDTH: Final = 14.0
_CALM: Final = 0.45
_PEOPLE: Final = 2000
_COLORS: Final = (("blue", 70), ("green", 22), ("yellow", 6), ("white", 2))
_REASONS: Final = ("not_registered", "blocked", "expired", "no_right")
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"
# Pictures, in bytes: most are small crops, some are whole scenes.
_SMALL: Final = (4_000, 20_000)
_LARGE: Final = (20_000, 100_000)


@dataclass(frozen=True, slots=True)
class Step:
    """At `at_s` virtual seconds a device tells of something, loses its connection for `seconds`, or is reset.

    `mad` tells are part of a flood.
    """

    at_s: float
    device: str
    act: Act
    what: Happening | None = None
    fate: Fate = WELL
    seconds: float = 0.0
    mad: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """`steps` in order of time; `clocks` of the devices whose clock is not right."""

    seed: int
    minutes: float
    faults: Faults
    members: tuple[Member, ...]
    steps: tuple[Step, ...]
    clocks: dict[str, Clock]


def plan(
    members: Sequence[Member], *, seed: int, minutes: float, faults: Faults = wrong.NONE, busy: float = 1.0
) -> Plan:
    """Lets the fleet live through `minutes` from seven in the morning, `busy` times as busy as usual."""
    moments = _Minutes(minutes)
    steps: list[Step] = []
    clocks: dict[str, Clock] = {}
    for member in members:
        rng = random.Random(f"{seed}:{member.device_id}")
        if member.gateway is None:
            clock = wrong.clock(faults, rng)
            if clock != Clock():
                clocks[member.device_id] = clock
            steps += _mishaps(member, faults, rng, minutes)
        steps += _life(member, faults, rng, moments, minutes, busy)
    steps += _storms(members, faults, random.Random(f"{seed}:storms"), minutes)
    steps += _madness(members, faults, random.Random(f"{seed}:mad"), minutes)
    steps.sort(key=lambda step: (step.at_s, step.device))
    return Plan(seed, minutes, faults, tuple(members), tuple(steps), clocks)


class _Minutes:
    """Moments drawn so that they are dense where the hour is busy."""

    def __init__(self, minutes: float) -> None:
        self._length = minutes * 60 / 240
        weights = [
            _CALM + math.exp(-(((slot * minutes / 240) - _PEAK_MINUTE) ** 2) / (2 * _PEAK_WIDTH**2))
            for slot in range(240)
        ]
        self._sums = list(itertools.accumulate(weights))

    def draw(self, rng: random.Random) -> float:
        slot = bisect.bisect_left(self._sums, rng.random() * self._sums[-1])
        return (min(slot, 239) + rng.random()) * self._length


def _life(
    member: Member, faults: Faults, rng: random.Random, moments: _Minutes, minutes: float, busy: float
) -> Iterator[Step]:
    sees = member.sees
    if member.purpose is None or not sees:
        return
    expected = PURPOSES[member.purpose].an_hour * busy * minutes / 60 * rng.uniform(0.7, 1.3)
    count = int(expected) + (rng.random() < expected % 1)
    last = minutes * 60 - 1
    free = 0.0
    for at_s in sorted(moments.draw(rng) for _ in range(count)):
        kind = rng.choices(list(sees), list(sees.values()))[0]
        what = _happening(member, kind, faults, rng)
        fate = wrong.fate(faults, rng)
        follow = _follow(member, kind)
        if follow is None:
            yield Step(at_s, member.device_id, "tell", what, fate)
            continue
        # A door that stands open cannot be opened.
        if at_s < free:
            continue
        yield Step(at_s, member.device_id, "tell", what, fate)
        for after_s, next_kind in follow:
            then = at_s + after_s * rng.uniform(0.7, 1.4)
            free = then + 1
            if then < last:
                yield Step(
                    then,
                    member.device_id,
                    "tell",
                    Happening(next_kind, what.device),
                    wrong.fate(faults, rng),
                )


def _follow(member: Member, kind: str) -> tuple[tuple[float, str], ...] | None:
    """What comes of it: seconds later, and what."""
    if kind == "door.opened":
        return ((12, "door.closed"),)
    if member.wire == "zhenshi" and kind == "plate.recognised":
        return ((2, "barrier.opened"), (9, "barrier.closed"))
    return None


def _happening(member: Member, kind: str, faults: Faults, rng: random.Random) -> Happening:
    device = member.name if member.gateway is not None else None
    purpose = PURPOSES[member.purpose or "gate"]
    # Drawn in any case, for the same reason as fates are.
    person = f"r-{rng.randrange(_PEOPLE):05d}"
    plate = f"云M{rng.choice(_LETTERS)}{rng.randrange(10_000):04d}"
    color = rng.choices([name for name, _ in _COLORS], [weight for _, weight in _COLORS])[0]
    score = round(rng.uniform(0.86, 0.99), 4)
    reason = rng.choice(_REASONS)
    pictured, large, cut = rng.random(), rng.random(), rng.random()
    size = rng.randrange(*(_LARGE if large < 0.3 else _SMALL))
    seed = rng.getrandbits(40)
    has_picture = pictured < purpose.pictured
    known = kind in {"access.granted", "face.identified"}
    return Happening(
        kind,
        device,
        person=person if known else None,
        plate=plate if kind == "plate.recognised" else None,
        color=color if kind == "plate.recognised" else None,
        score=score if known or kind == "plate.recognised" else None,
        reason=reason if kind == "access.denied" else None,
        direction=member.direction,
        size=size if has_picture else 0,
        seed=seed,
        cut=has_picture and cut < faults.cut,
    )


def _mishaps(member: Member, faults: Faults, rng: random.Random, minutes: float) -> Iterator[Step]:
    away, reset = rng.random(), rng.random()
    at_s, reset_at_s = rng.uniform(0.1, 0.6) * minutes * 60, rng.uniform(0.2, 0.9) * minutes * 60
    for_s = rng.uniform(0.05, 0.25) * minutes * 60
    if away < faults.outage:
        yield Step(at_s, member.device_id, "cut", seconds=for_s)
    if reset < faults.reset:
        yield Step(reset_at_s, member.device_id, "reset")


def _storms(members: Sequence[Member], faults: Faults, rng: random.Random, minutes: float) -> Iterator[Step]:
    for _ in range(faults.storms):
        at_s = rng.uniform(0.2, 0.8) * minutes * 60
        for member in members:
            if member.gateway is None and not WIRES[member.wire].pushes:
                yield Step(at_s, member.device_id, "cut", seconds=rng.uniform(30, 600))


def _madness(members: Sequence[Member], faults: Faults, rng: random.Random, minutes: float) -> Iterator[Step]:
    # One whose protocol has numbers, so that each of its cries can be told from the others.
    able = [one for one in members if one.wire in {"native", "yilandu"} and "access.granted" in one.sees]
    for member in rng.sample(able, min(faults.mad, len(able))):
        begin = rng.uniform(0.3, 0.6) * minutes * 60
        what = _happening(member, "access.granted", wrong.NONE, rng)
        calm = msgspec.structs.replace(what, size=0)
        for number in range(faults.mad_messages):
            # Within a virtual minute: at speed 60 within a second.
            at_s = begin + 60 * number / faults.mad_messages
            yield Step(at_s, member.device_id, "tell", calm, mad=True)
