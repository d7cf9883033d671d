"""A weekday at the demo compound: ordinary traffic, and what is wrong among it.

A scene has the time it happens at in the story; it is played with real timestamps, six
minutes for the day. What raises an incident and what must not is said at each scene.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from devices import simulator as say
from devices.simulator import NativeEvent
from ringward.demo import cast
from ringward.demo.plan import PREFIX
from ringward.demo.portraits import RESIDENT_A, RESIDENT_B, STRANGER

DAY_S: Final = 360.0
"""How long the played day lasts before it begins again with its calm scenes only."""


_LOITERING: Final = NativeEvent("video.loitering", attributes={"dwell_s": 190})


@dataclass(frozen=True, slots=True)
class Say:
    """Publish an event as it is; `late_s` is how many seconds ago it happened, 0 for live."""

    event: NativeEvent
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ShowFace:
    """A face camera catches somebody; `role` is one of `portraits.ROLES`."""

    role: str
    direction: str = "in"


@dataclass(frozen=True, slots=True)
class ShowPlate:
    """A plate camera catches a car and sends the picture; reading it is Ringward's work."""

    plate: str
    direction: str = "in"


@dataclass(frozen=True, slots=True)
class FallSilent:
    """The device's cable is cut: its last will speaks for it."""


@dataclass(frozen=True, slots=True)
class ComeBack:
    """The device connects again."""


Action = Say | ShowFace | ShowPlate | FallSilent | ComeBack


@dataclass(frozen=True, slots=True)
class Step:
    """What one device does `offset_s` seconds after its scene began."""

    offset_s: float
    device: str
    action: Action


@dataclass(frozen=True, slots=True)
class Scene:
    """Part of the day. `starts_s` counts from the start of the played day.

    `expects` names the rules that raise an incident here; a scene without any is calm
    and is played again in every later round.
    """

    time: str
    title_zh: str
    title_en: str
    starts_s: float
    steps: tuple[Step, ...]
    expects: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{self.time} {self.title_zh} / {self.title_en}"

    @property
    def calm(self) -> bool:
        return not self.expects


@dataclass(frozen=True, slots=True)
class Cue:
    """A step at its moment of the day, in seconds from the start."""

    at_s: float
    scene: Scene
    step: Step


def timeline(scenes: Sequence[Scene], *, calm_only: bool = False) -> list[Cue]:
    """All steps in the order they are played."""
    cues = [
        Cue(scene.starts_s + step.offset_s, scene, step)
        for scene in scenes
        if scene.calm or not calm_only
        for step in scene.steps
    ]
    return sorted(cues, key=lambda cue: cue.at_s)


def weekday() -> tuple[Scene, ...]:
    """The story. Within the first 80 s each ring has its incident (R-E04 is decided 65 s after the plate)."""
    return (
        Scene("06:30", "居民早归 / 送货车", "Early arrivals", 1, (
            *_face_passage(0, "north", RESIDENT_B),
            *_car(6, "north", "in", cast.PLATE_A),
            *_walk(10, "north", "in", "pass", "courier-0630"),
        )),
        Scene("06:40", "未登记车辆跟随入内", "An unregistered car drives in", 4,
            _car(0, "east", "in", cast.PLATE_UNKNOWN), ("R-E04",)),
        Scene("06:50", "17幢单元门被强行打开", "The door of building 17 is forced", 12, (
            Step(0, f"{PREFIX}-b17-door", Say(say.door_opened())),
            Step(6, f"{PREFIX}-b17-door", Say(say.door_closed())),
        ), ("R-B05",)),
        # A stranger to the camera, but the card lets him in: nobody has to show a face.
        Scene("07:05", "住户不刷脸,刷卡进门", "A resident prefers the card", 15, (
            Step(0, f"{PREFIX}-east-face", ShowFace(STRANGER)),
            *_walk(3, "east", "in", "card", "card-0705"),
        )),
        Scene("07:15", "上学高峰:40 秒 14 人", "School run: 14 people in 40 s", 20, tuple(
            step
            for child in range(14)
            for step in _walk(child * 40 / 14, "north", "out", "card", f"card-07{child:02d}")
        )),
        # Somebody leaves by the button; a stranger slips in through the open turnstile.
        Scene("07:40", "陌生人趁门未关进入", "A stranger slips in", 30, (
            Step(0, f"{PREFIX}-south-face", ShowFace(STRANGER)),
            Step(1.0, f"{PREFIX}-south-turnstile-in", Say(say.door_opened(cause="exit_button"))),
            Step(1.8, f"{PREFIX}-south-line-in", Say(say.line_crossing())),
            Step(4.0, f"{PREFIX}-south-turnstile-in", Say(say.door_closed())),
        ), ("R-E01",)),
        Scene("08:00", "布控车辆到车库口", "A car on the watch-list at the garage", 46, (
            Step(0, f"{PREFIX}-garage-plate", ShowPlate(cast.PLATE_WATCHED)),
        ), ("R-E09",)),
        # Yesterday's tenant: the door opens all the same, a grid worker will visit.
        Scene("09:20", "5幢租期已过的租户刷卡", "A tenant whose lease ended yesterday", 56,
            _door(0, "b05", "card", "card-0920")),
        Scene("12:10", "车棚相机断线", "The bike-shed camera goes dark", 64, (
            Step(0, f"{PREFIX}-bike-shed-view", FallSilent()),
            Step(110, f"{PREFIX}-bike-shed-view", ComeBack()),
        ), ("R-D01",)),
        Scene("12:30", "外卖与来往车辆", "Lunch: deliveries and cars", 92, (
            *_walk(0, "east", "in", "qr", "delivery-1230"),
            *_car(4, "north", "out", cast.PLATE_A),
            *_door(9, "b03", "pass", "delivery-1230"),
            *_car(14, "east", "out", cast.PLATE_B),
            *_walk(20, "east", "out", "button", None),
        )),
        # One glyph from a resident's plate: the guard looks, and writes the courier down.
        Scene("14:00", "近似车牌,门岗登记", "A near match: the guard registers the courier", 122, (
            Step(0, f"{PREFIX}-east-plate-in", ShowPlate(cast.PLATE_COURIER)),
            Step(4, f"{PREFIX}-east-barrier-in", Say(NativeEvent("visitor.registered", "in"))),
            Step(5, f"{PREFIX}-east-barrier-in", Say(say.barrier_opened(cause="manual_open"))),
            Step(10, f"{PREFIX}-east-barrier-in", Say(say.barrier_closed())),
        )),
        Scene("16:30", "访客凭通行证开车进入", "A visitor's car with a pass", 150,
            _car(0, "north", "in", cast.PLATE_VISITOR)),
        Scene("17:40", "下班回家", "Home from work", 172, (
            *_face_passage(0, "east", RESIDENT_A),
            *_car(5, "north", "in", cast.PLATE_A),
            *_car(9, "east", "in", cast.PLATE_B),
            Step(14, f"{PREFIX}-b03-face", ShowFace(RESIDENT_A)),
            *_door(14.6, "b03", "face", None),
            Step(22, f"{PREFIX}-north-turnstile-in", Say(say.access_denied("card", "expired", "card-1740"))),
            *_walk(28, "north", "in", "card", "card-1741"),
            Step(34, f"{PREFIX}-b12-face", ShowFace(RESIDENT_B)),
            *_door(34.6, "b12", "face", None),
        )),
        # The network of building 12 was down: what comes now is history, and raises nothing.
        Scene("18:20", "12幢网络恢复,补传记录", "Building 12 sends what it kept", 222, (
            Step(0.0, f"{PREFIX}-b12-door", Say(say.access_granted("card", "card-1750"), late_s=1800)),
            Step(0.3, f"{PREFIX}-b12-door", Say(say.door_opened(), late_s=1799)),
            Step(0.6, f"{PREFIX}-b12-door", Say(say.door_closed(), late_s=1790)),
            Step(0.9, f"{PREFIX}-b12-door", Say(say.door_opened(), late_s=1500)),
            Step(1.2, f"{PREFIX}-b12-door", Say(say.door_closed(), late_s=1490)),
        )),
        Scene("20:30", "广场舞散场", "The square empties", 240, tuple(
            step
            for person in range(5)
            for step in _door(person * 5, f"b{person + 7:02d}", "card", f"card-203{person}")
        )),
        Scene("22:40", "陌生人尾随入内,9幢门被撬", "A stranger, and the door of building 9", 275, (
            Step(0, f"{PREFIX}-east-face", ShowFace(STRANGER)),
            Step(1.5, f"{PREFIX}-east-line-in", Say(say.line_crossing())),
            Step(20, f"{PREFIX}-bike-shed-view", Say(_LOITERING)),
            Step(36, f"{PREFIX}-b09-door", Say(say.door_opened())),
            Step(44, f"{PREFIX}-b09-door", Say(say.door_closed())),
        ), ("R-E01", "R-B05")),
        Scene("23:30", "夜深", "Late", 335, _walk(0, "north", "in", "card", "card-2330")),
    )  # fmt: skip


def _walk(offset: float, gate: str, direction: str, kind: str, ref: str | None) -> tuple[Step, ...]:
    """Somebody passes a turnstile with a credential; out by the button needs none."""
    turnstile, line = f"{PREFIX}-{gate}-turnstile-{direction}", f"{PREFIX}-{gate}-line-{direction}"
    crossing = Step(offset + 0.9, line, Say(say.line_crossing(direction=direction)))
    closed = Step(offset + 1.6, turnstile, Say(say.door_closed()))
    if kind == "button":
        opened = say.door_opened(cause="exit_button", direction=direction)
        return (Step(offset, turnstile, Say(opened)), crossing, closed)
    granted = say.access_granted(kind, ref, direction=direction)
    opened = say.door_opened(direction=direction)
    return (
        Step(offset, turnstile, Say(granted)),
        Step(offset + 0.2, turnstile, Say(opened)),
        crossing,
        closed,
    )


def _face_passage(offset: float, gate: str, role: str) -> tuple[Step, ...]:
    """A resident with an enrolled face: caught, matched by the terminal, and through."""
    return (
        Step(offset, f"{PREFIX}-{gate}-face", ShowFace(role)),
        *_walk(offset + 0.5, gate, "in", "face", None),
    )


def _door(offset: float, building: str, kind: str, ref: str | None) -> tuple[Step, ...]:
    """Somebody opens a building's door with a credential."""
    door = f"{PREFIX}-{building}-door"
    return (
        Step(offset, door, Say(say.access_granted(kind, ref))),
        Step(offset + 0.3, door, Say(say.door_opened())),
        Step(offset + 3.0, door, Say(say.door_closed())),
    )


def _car(offset: float, gate: str, direction: str, plate: str) -> tuple[Step, ...]:
    """A car is caught, the barrier opens for it and closes behind it."""
    barrier = f"{PREFIX}-{gate}-barrier-{direction}"
    return (
        Step(offset, f"{PREFIX}-{gate}-plate-{direction}", ShowPlate(plate, direction)),
        Step(offset + 1.2, barrier, Say(say.barrier_opened(direction=direction))),
        Step(offset + 5.0, barrier, Say(say.barrier_closed())),
    )
