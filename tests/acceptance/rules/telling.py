"""Stories about one rule: at this second that happens, by then this incident stands, and nothing else.

    tell(
        "R-E01",
        at(0, face_unknown("gate")),
        at(2, door_opened("gate")),
        raised(11, severity=4),
    )

Seconds count from ten in the morning of a Monday by the compound's clock (`begins` is another hour).
Only the named rules run. What is said, when and how often must be exactly what is told here, until
two hours after the last step: whatever is due is answered at its moment.
"""

import dataclasses
import datetime as dt
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from zoneinfo import ZoneInfo

from alerts.incidents.folding import Case, Fold
from alerts.rules import RULES, Engine, Mute, Observation, Rule, RuleBook, Signal, with_values
from alerts.rules.site import Site, SiteDevice, SiteZone

SHANGHAI = ZoneInfo("Asia/Shanghai")
MORNING = dt.datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI).astimezone(dt.UTC)
NIGHT = dt.datetime(2026, 11, 23, 23, 30, tzinfo=SHANGHAI).astimezone(dt.UTC)
_AFTERWARDS = dt.timedelta(hours=2)
_HOUR = dt.timedelta(hours=1)


def local(hour: int, minute: int = 0, *, day: int = 23) -> dt.datetime:
    """A moment of November 2026 by the compound's clock; the 23rd is a Monday."""
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI).astimezone(dt.UTC)


# ── the compound ──────────────────────────────────────────────────────────────

# Zone → ring, kind, neighbours. Buildings 3 and 4 stand on one podium.
_ZONES = {
    "gate": ("entrance", "pedestrian_gate", ("square", "bike-shed")),
    "side-gate": ("entrance", "pedestrian_gate", ("square",)),
    "drive": ("entrance", "vehicle_gate", ("square", "garage")),
    "far-drive": ("entrance", "vehicle_gate", ("garage",)),
    "square": ("common", "square", ("gate", "bike-shed", "hall-3", "hall-9")),
    "bench": ("common", "garden", ("square",)),
    "bike-shed": ("common", "bike_shed", ("gate", "square", "hall-9")),
    "garage": ("common", "garage_entrance", ("drive", "square")),
    "playground": ("common", "playground", ("square",)),
    "fence": ("common", "back_fence", ("bike-shed",)),
    "fire-lane": ("common", "fire_lane", ("square",)),
    "hall-3": ("building", "building", ("square", "hall-4")),
    "hall-4": ("building", "building", ("hall-3", "square")),
    "hall-9": ("building", "building", ("bike-shed", "square")),
    "lobby-9": ("building", "lobby", ("hall-9",)),
    "roof-9": ("building", "roof", ("hall-9",)),
    "pumps-9": ("building", "equipment_room", ("hall-9",)),
    "lift-9": ("building", "lift", ("hall-9",)),
}
# Each zone is one lane of its own name with these devices; plan metres along a line.
_KINDS = {
    "camera": "scene_camera",
    "face": "face_camera",
    "plate": "plate_camera",
    "reader": "door",
    "door": "door",
    "barrier": "barrier",
}


def site() -> Site:
    """A compound with one lane a zone; every lane has a camera, a reader and a door, drives a barrier."""
    zones = {
        zone: SiteZone(zone, ring, kind, frozenset(neighbours))
        for zone, (ring, kind, neighbours) in _ZONES.items()
    }
    devices = {}
    for number, zone in enumerate(_ZONES):
        for kind, device_kind in _KINDS.items():
            name = f"{zone}-{kind}"
            devices[name] = SiteDevice(
                name, zone, device_kind, zone, "in", x=60.0 * number, y=0.0, heartbeat_s=30
            )
    return Site(zones, devices)


# ── what happens ──────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Seen:
    """What is observed, not yet when. `device` without a lane's name means one of that lane's own."""

    type: str
    zone: str
    facts: dict = field(default_factory=dict)


def seen(kind: str, zone: str, *, device: str | None = None, **facts: object) -> Seen:
    """Anything at all: `facts` are fields of an Observation."""
    return Seen(kind, zone, facts | {"device": device or f"{zone}-{_speaker(kind)}"})


def _speaker(kind: str) -> str:
    head = kind.partition(".")[0]
    return {"face": "face", "plate": "plate", "access": "reader", "door": "door", "barrier": "barrier"}.get(
        head, "camera"
    )


@dataclass(frozen=True)
class Happens:
    at: float
    what: Seen
    arrives: float | None = None
    late: bool = False
    name: str | None = None
    amends: bool = False


def at(
    seconds: float,
    what: Seen,
    *,
    arrives: float | None = None,
    late: bool = False,
    name: str | None = None,
    amends: bool = False,
) -> Happens:
    """`what` happens at `seconds` and comes in when it `arrives` (at once). `name` gives it an id of its own."""
    return Happens(seconds, what, arrives, late, name, amends)


# ── what is expected ──────────────────────────────────────────────────────────


@dataclass(frozen=True, order=True)
class Change:
    at: float
    change: str
    rule: str
    severity: int


def raised(seconds: float, *, severity: int, rule: str = "") -> Change:
    return Change(float(seconds), "raised", rule, severity)


def amended(seconds: float, *, severity: int, rule: str = "") -> Change:
    return Change(float(seconds), "amended", rule, severity)


def cleared(seconds: float, *, severity: int, rule: str = "") -> Change:
    return Change(float(seconds), "cleared", rule, severity)


def merged(seconds: float, *, severity: int, rule: str = "") -> Change:
    return Change(float(seconds), "merged", rule, severity)


@dataclass
class Told:
    """What came of a story."""

    changes: list[Change]
    cases: list[Case]
    engine: Engine
    fold: Fold
    # Of each incident how grave it was after each change, also of those that were taken into another.
    levels: list[tuple[Case, list[int]]]

    @property
    def only(self) -> Signal:
        """The first signal of the only incident."""
        (case,) = self.cases
        return case.first


# ── telling ───────────────────────────────────────────────────────────────────


def rules_named(*ids: str) -> tuple[type[Rule], ...]:
    found = tuple(rule for rule in RULES if rule.id in ids)
    assert len(found) == len(set(ids)), f"not all of {ids} are rules"
    return found


def run(
    rules: Sequence[type[Rule]],
    steps: Sequence[Happens],
    *,
    begins: dt.datetime = MORNING,
    book: RuleBook | None = None,
    plan: Site | None = None,
    mutes: Iterable[Mute] = (),
    afterwards: dt.timedelta = _AFTERWARDS,
    hands_over: float | None = None,
) -> Told:
    """Plays what happens, in the order in which it comes in, and answers every question at its moment.

    `hands_over`: at that second another engine takes over what this one knows, as bytes.
    """
    engine = Engine(rules, book or RuleBook(), plan or site())
    engine.set_mutes(mutes)
    fold = Fold()
    changes: list[Change] = []
    levels: dict[int, tuple[Case, list[int]]] = {}

    def note(said: list, now: dt.datetime) -> None:
        for change, case in fold.take(said, now):
            levels.setdefault(id(case), (case, []))[1].append(case.severity)
            changes.append(Change((now - begins).total_seconds(), change, case.rule, case.severity))

    def until(moment: dt.datetime) -> None:
        # Each question at its own moment, not at the next event's.
        while engine.next_due is not None and engine.next_due <= moment:
            due = engine.next_due
            note(engine.advance(due), due)
        note(engine.advance(moment), moment)

    arrivals = sorted(
        ((_arrival(step, begins), number, step) for number, step in enumerate(steps)), key=lambda one: one[:2]
    )
    last = begins
    hand_over = None if hands_over is None else begins + dt.timedelta(seconds=hands_over)
    for received, number, step in arrivals:
        if hand_over is not None and hand_over <= received:
            until(hand_over)
            state, engine = engine.dump(), Engine(rules, book or RuleBook(), plan or site())
            engine.set_mutes(mutes)
            engine.load(state)
            hand_over = None
        until(received)
        note(engine.feed(_observation(step, number, begins, received)), received)
        last = received
    # Where nobody says otherwise the same end whatever the order in which the last of them came in.
    ends = last + afterwards
    until(ends if afterwards is not _AFTERWARDS else max(ends, begins + _HOUR + _AFTERWARDS))
    assert not engine.faults, engine.faults
    return Told(changes, fold.cases, engine, fold, list(levels.values()))


def tell(
    rule: str | Sequence[str],
    *story: Happens | Change,
    values: dict[str, float] | None = None,
    **how: object,
) -> Told:
    """Plays a story with one rule (or some) and compares what was said with what is told."""
    ids = (rule,) if isinstance(rule, str) else tuple(rule)
    steps = [step for step in story if isinstance(step, Happens)]
    if values is not None:
        how["book"] = with_values({ids[0]: values})
    told = run(rules_named(*ids), steps, **how)
    expected = sorted(
        dataclasses.replace(change, rule=change.rule or ids[0])
        for change in story
        if isinstance(change, Change)
    )
    assert sorted(told.changes) == expected, f"\nsaid:     {sorted(told.changes)}\nexpected: {expected}"
    return told


def _arrival(step: Happens, begins: dt.datetime) -> dt.datetime:
    return begins + dt.timedelta(seconds=step.at if step.arrives is None else step.arrives)


def _observation(step: Happens, number: int, begins: dt.datetime, received: dt.datetime) -> Observation:
    zone = step.what.zone
    name = step.name or f"{step.what.type}-{number:03}"
    facts = {"lane": zone, "direction": None} | step.what.facts
    moment = begins + dt.timedelta(seconds=step.at)
    return Observation(
        id=name,
        event_id=f"e-{name}",
        type=step.what.type,
        at=moment,
        received_at=received,
        zone=zone,
        ring=_ZONES[zone][0] if zone in _ZONES else facts.pop("ring"),
        late=step.late,
        amends=step.amends,
        **facts,
    )


# ── what every rule has to stand ──────────────────────────────────────────────


def standing(cases: Iterable[Case]) -> list[tuple[tuple[str, ...], int, bool]]:
    """Incidents without the moment at which they were said: what order and repeats must not change.

    Of one that has several keys it does not matter which of them, and so which rule, was said first.
    """
    return sorted((tuple(sorted(case.keys)), case.severity, case.cleared_at is not None) for case in cases)


class EveryRule:
    """Mixed into a rule's test class: what holds of every rule, tried on its own story.

    `rule` is its number, `story` one that raises (with its changes), `how` further arguments of `tell`.
    A rule's class adds `test_silent_…`, `test_boundary_…` and `test_blind_…` (a device that was blind).
    """

    rule: str
    story: tuple[Happens | Change, ...]
    how: ClassVar[dict] = {}
    # Rules that never can be muted.
    safety = False
    # Rules that speak of late records, which is all that replayed events can be.
    about_late = False

    def _steps(self) -> list[Happens]:
        return [step for step in self.story if isinstance(step, Happens)]

    def _run(self, steps: Sequence[Happens], **more: object) -> Told:
        how = dict(self.how) | more
        values = how.pop("values", None)
        if values is not None:
            how["book"] = with_values({self.rule: values})
        return run(rules_named(*([self.rule, *how.pop("beside", ())])), steps, **how)

    def test_raises_what_is_told(self) -> None:
        how = dict(self.how)
        beside = how.pop("beside", ())
        told = tell((self.rule, *beside), *self.story, **how)
        assert told.cases

    def test_every_event_twice_says_nothing_more(self) -> None:
        steps = [dataclasses.replace(step, name=step.name or f"n{i}") for i, step in enumerate(self._steps())]
        again = [
            dataclasses.replace(step, arrives=(step.at if step.arrives is None else step.arrives) + 0.25)
            for step in steps
        ]
        assert self._run([*steps, *again]).changes == self._run(steps).changes

    def test_five_seconds_of_disorder_change_nothing(self) -> None:
        steps = [dataclasses.replace(step, name=step.name or f"n{i}") for i, step in enumerate(self._steps())]
        expected = standing(self._run(steps).cases)
        chance = random.Random(7)
        for _ in range(12):
            shuffled = [
                step
                if step.late
                else dataclasses.replace(step, arrives=step.at + chance.choice([0, 1, 2.5, 4, 4.9]))
                for step in steps
            ]
            assert standing(self._run(shuffled).cases) == expected

    def test_replayed_records_raise_nothing(self) -> None:
        if self.about_late:
            return
        late = [dataclasses.replace(step, late=True) for step in self._steps()]
        assert self._run(late).changes == []
        old = [dataclasses.replace(step, arrives=step.at + 16) for step in self._steps()]
        assert self._run(old).changes == []

    def test_muted_is_silent_and_muted_elsewhere_is_not(self) -> None:
        everywhere = Mute(
            self.rule, None, dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)
        )
        elsewhere = dataclasses.replace(everywhere, place="no-such-place")
        plain = self._run(self._steps()).changes
        assert self._run(self._steps(), mutes=[elsewhere]).changes == plain
        muted = [
            change
            for change in self._run(self._steps(), mutes=[everywhere]).changes
            if change.rule == self.rule
        ]
        assert (muted == [c for c in plain if c.rule == self.rule]) if self.safety else not muted


# ── words for what happens ────────────────────────────────────────────────────


def face_unknown(zone: str = "gate", direction: str | None = "in", **facts: object) -> Seen:
    return seen("face.unknown", zone, direction=direction, score=0.71, **facts)


def face_of(person: str, /, zone: str = "gate", direction: str | None = "in", **facts: object) -> Seen:
    return seen("face.identified", zone, direction=direction, person_id=person, score=0.31, **facts)


def plate(text: str, zone: str = "drive", direction: str | None = "in", **facts: object) -> Seen:
    return seen("plate.recognised", zone, direction=direction, plate=text, **({"score": 0.97} | facts))


def door_opened(zone: str = "gate", cause: str | None = None, **facts: object) -> Seen:
    return seen("door.opened", zone, cause=cause, **facts)


def door_closed(zone: str = "gate", **facts: object) -> Seen:
    return seen("door.closed", zone, **facts)


def barrier_opened(zone: str = "drive", cause: str | None = None, **facts: object) -> Seen:
    return seen("barrier.opened", zone, cause=cause, **facts)


def barrier_closed(zone: str = "drive", **facts: object) -> Seen:
    return seen("barrier.closed", zone, **facts)


def crossing(zone: str = "gate", direction: str | None = "in", **facts: object) -> Seen:
    return seen("video.line_crossing", zone, direction=direction, **facts)


def granted(zone: str = "gate", direction: str | None = "in", **facts: object) -> Seen:
    return seen("access.granted", zone, direction=direction, **facts)


def denied(zone: str = "gate", direction: str | None = "in", **facts: object) -> Seen:
    return seen("access.denied", zone, direction=direction, **facts)


def offline(device: str, zone: str, cause: str = "last_will") -> Seen:
    return seen("device.offline", zone, device=device, cause=cause)


def online(device: str, zone: str) -> Seen:
    return seen("device.online", zone, device=device, cause="heartbeat")
