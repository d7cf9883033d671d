"""A weekday at the demo compound: ordinary traffic, and what is wrong among it.

A scene has the time it happens at in the story; it is played with real timestamps, six
minutes for the day. What raises an incident and what must not is said at each scene.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from devices import simulator as say
from devices.simulator import NativeEvent
from ringward.demo import cast, equipment
from ringward.demo.plan import PREFIX
from ringward.demo.portraits import RESIDENT_A, RESIDENT_B, STRANGER

DAY_S: Final = 360.0
"""How long the played day lasts before it begins again with its calm scenes only."""


_LOITERING: Final = NativeEvent("video.loitering", attributes={"dwell_s": 190})
_FIRE_LANE: Final = "video.fire_lane_blocked"
_KEPT: Final = say.access_granted("card", cast.card("neighbour"))


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

    `expects` names the rules that raise an incident here, not those whose words join it; a scene
    without any is calm and is played again in every later round.
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
    """The story. Within the first 80 s each ring has its incident (R-E04 is decided 65 s after the plate).

    What takes longer than the played day is told by the device that has watched it: a van stands there
    already for a quarter of an hour. Of the elder nothing has been heard since she agreed to be looked
    after, the day before the compound was made: later starts on the same data find her well.
    """
    return (
        Scene("06:30", "居民早归 / 快递早高峰", "Early arrivals, first couriers", 1, (
            *_face_passage(0, "north", RESIDENT_B),
            *_car(6, "north", "out", cast.PLATE_A),
            *_walk(10, "north", "in", "pass", cast.PASS_COURIER),
            *_car(11, "east", "out", cast.PLATE_B),
        )),
        Scene("06:40", "未登记车辆进入,后离开", "An unregistered car drives in", 4, (
            *_car(0, "east", "in", cast.PLATE_UNKNOWN),
            *_car(76, "east", "out", cast.PLATE_UNKNOWN),
        ), ("R-E04",)),
        Scene("06:50", "17幢单元门被强行打开", "The door of building 17 is forced", 12, (
            Step(0, f"{PREFIX}-b17-door", Say(say.door_opened())),
            Step(6, f"{PREFIX}-b17-door", Say(say.door_closed())),
        ), ("R-B05",)),
        # A stranger to the camera, but the card lets him in: nobody has to show a face.
        Scene("07:05", "住户不刷脸,刷卡进门", "A resident prefers the card", 15, (
            Step(0, f"{PREFIX}-east-face", ShowFace(STRANGER)),
            *_walk(3, "east", "in", "card", cast.card("refuser")),
        )),
        Scene("07:15", "上学高峰:40 秒 14 人", "School run: 14 people in 40 s", 20, tuple(
            step
            for number, child in enumerate(cast.SCHOOL_RUN)
            for step in _walk(number * 40 / 14, "north", "out", "card", cast.card(child))
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
            *_car(44, "east", "out", cast.PLATE_WATCHED),
        ), ("R-E09",)),
        # Yesterday's tenant: the door opens all the same, a grid worker will visit.
        Scene("09:20", "5幢租期昨日到期的租户刷卡", "A tenant whose lease ended yesterday", 56, (
            *_walk(0, "south", "in", "card", cast.card("tenant")),
            *_door(4, "b05", "card", cast.card("tenant")),
        ), ("R-B04",)),
        # The property office's matter, not the police's.
        Scene("10:05", "8幢电梯内有电动自行车", "An e-bike in the lift of building 8", 66, (
            Step(0, equipment.LIFT, Say(NativeEvent("video.ebike_in_lift", attributes={"confidence": 0.91}))),
        ), ("R-B07",)),
        Scene("12:10", "2号门(东门)人脸相机被遮挡", "The camera at gate 2 is covered", 74, (
            Step(0, f"{PREFIX}-east-face", Say(NativeEvent("video.occlusion"))),
            Step(60, f"{PREFIX}-east-face", Say(NativeEvent("video.occlusion", attributes={"ended": True}))),
        ), ("R-D02",)),
        Scene("12:30", "外卖与来往车辆", "Lunch: deliveries and cars", 92, (
            *_walk(0, "east", "in", "pass", cast.PASS_DELIVERY),
            *_walk(5, "north", "out", "pass", cast.PASS_COURIER),
            *_door(9, "b03", "pass", cast.PASS_DELIVERY),
            *_car(14, "north", "in", cast.PLATE_A),
            *_walk(20, "east", "out", "pass", cast.PASS_DELIVERY),
        )),
        # One glyph from a resident's plate: the guard looks, and writes the courier down.
        Scene("13:40", "近似车牌,门岗登记", "A near match: the guard registers the courier", 116, (
            Step(0, f"{PREFIX}-east-plate-in", ShowPlate(cast.PLATE_COURIER)),
            Step(4, f"{PREFIX}-east-barrier-in", Say(NativeEvent("visitor.registered", "in"))),
            Step(5, f"{PREFIX}-east-barrier-in", Say(say.barrier_opened(cause="manual_open"))),
            Step(10, f"{PREFIX}-east-barrier-in", Say(say.barrier_closed())),
        )),
        # The camera has watched it for 14½ minutes: the owner is called; half a minute later it is urgent.
        Scene("14:00", "面包车占用消防通道,车主未到", "A van in the fire lane, its owner away", 128, (
            Step(0, f"{PREFIX}-fire-lane-view", Say(NativeEvent(
                _FIRE_LANE, plate={"text": cast.PLATE_LOOKALIKE}, attributes={"dwell_s": 870}))),
            Step(140, f"{PREFIX}-fire-lane-view", Say(NativeEvent(_FIRE_LANE, attributes={"ended": True}))),
        ), ("R-C05",)),
        Scene("16:30", "访客凭通行证开车进入", "A visitor's car with a pass", 142,
            _car(0, "north", "in", cast.PLATE_VISITOR)),
        Scene("17:40", "下班回家", "Home from work", 150, (
            *_face_passage(0, "east", RESIDENT_A),
            *_car(9, "east", "in", cast.PLATE_B),
            Step(14, f"{PREFIX}-b03-face", ShowFace(RESIDENT_A)),
            *_door(14.6, "b03", "face", None),
            *_walk(24, "north", "in", "card", cast.card("commuter")),
            Step(30, f"{PREFIX}-b12-face", ShowFace(RESIDENT_B)),
            *_door(30.6, "b12", "face", None),
        )),
        Scene("17:45", "过期门卡被拒", "A card that has run out is refused", 168, (
            Step(0, f"{PREFIX}-north-turnstile-in",
                Say(say.access_denied("card", "expired", cast.card("out_of_date")))),
        ), ("R-E11",)),
        Scene("17:50", "12幢门禁断网", "The door of building 12 is cut off", 188, (
            Step(0, f"{PREFIX}-b12-door", FallSilent()),
            Step(26, f"{PREFIX}-b12-door", ComeBack()),
        ), ("R-D01",)),
        # It went on by itself: what comes now is history, and raises nothing.
        Scene("18:20", "12幢网络恢复,补传记录", "Building 12 sends what it kept", 218, (
            Step(0.0, f"{PREFIX}-b12-door", Say(_KEPT, late_s=1800)),
            Step(0.3, f"{PREFIX}-b12-door", Say(say.door_opened(), late_s=1799)),
            Step(0.6, f"{PREFIX}-b12-door", Say(say.door_closed(), late_s=1790)),
            Step(0.9, f"{PREFIX}-b12-door", Say(say.door_opened(), late_s=1500)),
            Step(1.2, f"{PREFIX}-b12-door", Say(say.door_closed(), late_s=1490)),
        )),
        Scene("20:30", "广场舞散场,访客离开", "The square empties", 222, (
            *(
                step
                for number, dancer in enumerate(cast.DANCERS)
                for step in _door(number * 5, f"b{number + 7:02d}", "card", cast.card(dancer))
            ),
            *_car(12, "north", "out", cast.PLATE_VISITOR),
        )),
        Scene("21:05", "关爱老人一天无动静,后来开了门", "A silent elder opens her door", 229, (
            Step(0, equipment.CONTACT, Say(NativeEvent(
                "care.activity", attributes={"dwelling": cast.DWELLING_ELDER}))),
        ), ("R-B09",)),
        # One incident that climbs from a notice to critical: gate, bike sheds, a forced door.
        Scene("22:40", "陌生人入内、车棚徘徊、9幢门被撬", "A stranger, and the door of building 9", 232, (
            *_walk(0, "east", "in", "card", cast.card("evening")),
            Step(14, f"{PREFIX}-east-face", ShowFace(STRANGER)),
            Step(15, f"{PREFIX}-east-turnstile-in", Say(say.door_opened(cause="exit_button"))),
            Step(16, f"{PREFIX}-east-line-in", Say(say.line_crossing())),
            Step(18, f"{PREFIX}-east-turnstile-in", Say(say.door_closed())),
            Step(46, f"{PREFIX}-bike-shed-view", Say(_LOITERING)),
            Step(112, f"{PREFIX}-b09-door", Say(NativeEvent("door.forced"))),
            Step(117, f"{PREFIX}-b09-door", Say(say.door_closed())),
        ), ("R-E01",)),
        Scene("23:30", "夜深", "Late", 352, _walk(0, "north", "in", "card", cast.card("late"))),
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
