"""A weekday at Honghua through all rules: what happens, and exactly the incidents that come of it.

The compound is the demo's, with its plan and devices. Between the scenes people come and go as they do.
"""

import datetime as dt
import itertools
from collections.abc import Iterable

import pytest
from telling import SHANGHAI

from alerts.incidents.folding import Fold
from alerts.rules import (
    RULES,
    CredentialFacts,
    Engine,
    Entry,
    Hours,
    Observation,
    PersonFacts,
    RuleBook,
    Site,
    SiteDevice,
    SiteZone,
    VehicleFacts,
)
from ringward.demo import equipment, plan

LATE = "late"
_numbers = itertools.count()


def clock(text: str, *, day: int = 23) -> dt.datetime:
    """A moment of that Monday by the compound's clock."""
    hour, minute, second = (*map(int, text.split(":")), 0)[:3]
    return dt.datetime(2026, 11, day, hour, minute, second, tzinfo=SHANGHAI).astimezone(dt.UTC)


def honghua() -> Site:
    """The demo's plan; building 12 hangs on a gateway of its own, and a fire lane runs along the square."""
    buildings = plan.buildings()
    zones = {
        zone.id: SiteZone(zone.id, str(zone.ring), zone.kind, frozenset(zone.neighbours))
        for zone in plan.zones()
    }
    devices = {
        one.id: SiteDevice(
            one.id,
            one.zone,
            str(one.kind),
            one.lane,
            one.direction,
            *one.at,
            heartbeat_s=equipment.HEARTBEAT_S,
        )
        for one in equipment.devices(buildings)
        if one.id not in equipment.GUESTS
    }
    return Site(zones, devices)


SITE = honghua()


def seen(kind: str, device: str, at: dt.datetime, *, late_s: float = 0, **facts: object) -> Observation:
    """What a device of the demo reports."""
    known = SITE.devices[device]
    number = next(_numbers)
    return Observation(
        id=f"{kind}-{number:05}",
        event_id=f"e-{number:05}",
        type=kind,
        at=at,
        received_at=at + dt.timedelta(seconds=late_s),
        device=device,
        zone=known.zone,
        ring=SITE.zones[known.zone].ring,
        lane=known.lane,
        late=late_s > 15,
        **({"direction": known.direction} | facts),
    )


def resident(number: int, building: str = "hh-b07-zone", **facts: object) -> dict:
    """Somebody who lives there, with a card."""
    who = PersonFacts(f"p-{number}", f"h-{number}", belongs=True, buildings=frozenset({building}), **facts)
    card = CredentialFacts(f"c-{number}", "card", "active")
    return {
        "person_id": who.id,
        "person": who,
        "household_id": who.household_id,
        "credential_id": card.id,
        "credential": card,
    }


def s(seconds: float) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)


def walks(gate: str, way: str, at: dt.datetime, who: dict) -> list[Observation]:
    """Through a turnstile with a card: granted, open, across, shut."""
    turnstile, line = f"hh-{gate}-turnstile-{way}", f"hh-{gate}-line-{way}"
    return [
        seen("access.granted", turnstile, at, **who),
        seen("door.opened", turnstile, at + s(0.2)),
        seen("video.line_crossing", line, at + s(0.9)),
        seen("door.closed", turnstile, at + s(1.6)),
    ]


def enters(building: str, at: dt.datetime, who: dict, *, late_s: float = 0) -> list[Observation]:
    """Through a building's door."""
    door = f"hh-{building}-door"
    return [
        seen("access.granted", door, at, late_s=late_s, **(who | {"direction": "in"})),
        seen("door.opened", door, at + s(0.3), late_s=late_s),
        seen("door.closed", door, at + s(4), late_s=late_s),
    ]


def drives(gate: str, way: str, at: dt.datetime, plate: str, **facts: object) -> list[Observation]:
    """Past a barrier that opens for the plate."""
    barrier = f"hh-{gate}-barrier-{way}"
    return [
        seen("plate.recognised", f"hh-{gate}-plate-{way}", at, plate=plate, score=0.98, **facts),
        seen("barrier.opened", barrier, at + s(1.2)),
        seen("barrier.closed", barrier, at + s(6)),
    ]


def comings_and_goings() -> Iterable[Observation]:
    """What a compound does all day: two hundred people come in and go home, cars come and go."""
    morning, evening = clock("05:30"), clock("16:30")
    for number in range(200):
        who = resident(1000 + number)
        yield from walks("north", "out", morning + s(number * 61), who)
        home = evening + s(number * 67)
        yield from walks("north", "in", home, who)
        yield from enters("b07", home + s(150), who)
    for number in range(40):
        car = VehicleFacts(f"car-{number}", f"h-{1000 + number}")
        facts = {"vehicle": car, "vehicle_id": car.id}
        yield from drives("east", "out", clock("06:45") + s(number * 97), f"云M7{number:04}", **facts)
        yield from drives("east", "in", clock("17:00") + s(number * 101), f"云M7{number:04}", **facts)


def courier_rush() -> Iterable[Observation]:
    """Plates read, one of them nearly a resident's: the guard looks and confirms."""
    at = clock("06:30")
    yield seen("plate.uncertain", "hh-east-plate-in", at, plate="云M1234S", score=0.62)
    yield seen("visitor.registered", "hh-east-barrier-in", at + s(20))
    yield seen("barrier.opened", "hh-east-barrier-in", at + s(22), cause="manual_open")
    yield seen("barrier.closed", "hh-east-barrier-in", at + s(30))


def school_run() -> Iterable[Observation]:
    """14 people in 40 s at one door, each with a card."""
    for number in range(14):
        yield from walks("north", "out", clock("07:15") + s(number * 40 / 14), resident(number))


def expired_tenant() -> Iterable[Observation]:
    """The lease ended yesterday; the card still opens, at the gate and at the door."""
    card = CredentialFacts("c-1203", "card", "active")
    who = PersonFacts("p-1203", None, tenancy_ended_on=dt.date(2026, 11, 22))
    facts = {"person_id": who.id, "person": who, "credential_id": card.id, "credential": card}
    yield from walks("south", "in", clock("09:20"), facts)
    yield from enters("b05", clock("09:23"), facts)


def ebike() -> Iterable[Observation]:
    yield seen("video.ebike_in_lift", "hh-b08-face", clock("10:05"))


def covered_camera() -> Iterable[Observation]:
    """Gate 2's camera is covered, said again and again until somebody wipes it."""
    for minute in range(0, 30, 5):
        yield seen("video.occlusion", "hh-east-face", clock("12:10") + s(minute * 60))
    yield seen("video.occlusion", "hh-east-face", clock("12:40"), attributes={"ended": True})


def blocked_lane() -> Iterable[Observation]:
    """A van whose plate is registered stands in the fire lane; its owner is called and does not come."""
    van = VehicleFacts("car-van", "h-77")
    facts = {"plate": "云M5V021", "vehicle": van, "vehicle_id": van.id, "direction": None}
    yield seen("video.fire_lane_blocked", "hh-square-view", clock("14:00"), **facts)
    yield seen(
        "video.fire_lane_blocked",
        "hh-square-view",
        clock("14:22"),
        attributes={"ended": True},
        direction=None,
    )


def building_cut_off() -> Iterable[Observation]:
    """The network to building 12 is down for half an hour; its doors go on, and tell it afterwards."""
    yield seen("device.offline", "hh-b12-door", clock("17:50"), cause="silence")
    yield seen("device.offline", "hh-b12-face", clock("17:50:01"), cause="gateway")
    for number in range(6):
        at = clock("17:52") + s(number * 200)
        who = resident(number, "hh-b12-zone")
        yield from walks("north", "in", at - s(120), who)
        yield from enters("b12", at, who, late_s=(clock("18:20") - at).total_seconds())
    yield seen("device.online", "hh-b12-door", clock("18:20"), cause="heartbeat")
    yield seen("device.online", "hh-b12-face", clock("18:20:01"), cause="heartbeat")


def elder() -> Iterable[Observation]:
    """She agreed to be looked after; nothing was heard of her since last evening, and at nine she opens."""
    who = resident(9009, "hh-b03-zone", cared_for=True)
    yield seen("care.activity", "hh-b03-door", clock("20:30", day=22), **(who | {"direction": None}))
    yield seen("care.activity", "hh-b03-door", clock("21:05"), **(who | {"direction": None}))


def evening() -> Iterable[Observation]:
    """Somebody slips in behind a resident, loiters at the bike sheds, and forces the door of building 9."""
    at = clock("22:40")
    yield from walks("east", "in", at, resident(4))
    yield seen("face.unknown", "hh-east-face", at + s(14), score=0.74)
    yield seen("door.opened", "hh-east-turnstile-in", at + s(15), cause="exit_button")
    yield seen("video.line_crossing", "hh-east-line-in", at + s(16))
    yield seen("door.closed", "hh-east-turnstile-in", at + s(18))
    yield seen("video.loitering", "hh-bike-shed-view", at + s(196), attributes={"dwell_s": 185})
    yield seen("video.loitering", "hh-bike-shed-view", at + s(380), attributes={"dwell_s": 360})
    yield seen("door.forced", "hh-b09-door", at + s(520))


def whole_day() -> list[Observation]:
    scenes = (
        *(comings_and_goings(), courier_rush(), school_run(), expired_tenant(), ebike(), covered_camera()),
        *(blocked_lane(), building_cut_off(), elder(), evening()),
    )
    return sorted(itertools.chain(*scenes), key=lambda one: (one.received_at, one.id))


def book() -> RuleBook:
    """The door of the school run stands open to the flow at that hour."""
    free = Hours(
        "school run", frozenset(range(5)), dt.time(7), dt.time(8), frozenset({plan.NORTH_GATE}), enabled=False
    )
    return RuleBook(SHANGHAI, entries={"R-E05": Entry(hours=(free,))})


@pytest.fixture(scope="module")
def day() -> list[tuple[str, str, str, int, str]]:
    """(clock, change, rule, severity, place) of everything that was said of that Monday."""
    engine, fold = Engine(RULES, book(), SITE), Fold()
    told: list[tuple[str, str, str, int, str]] = []

    def note(said: list, now: dt.datetime) -> None:
        for change, case in fold.take(said, now):
            told.append(
                (
                    f"{now.astimezone(SHANGHAI):%H:%M:%S}",
                    change,
                    case.rule,
                    case.severity,
                    case.first.anchor.zone,
                )
            )

    def until(moment: dt.datetime) -> None:
        while engine.next_due is not None and engine.next_due <= moment:
            due = engine.next_due
            note(engine.advance(due), due)
        note(engine.advance(moment), moment)

    for observation in whole_day():
        until(observation.received_at)
        note(engine.feed(observation), observation.received_at)
    until(clock("23:59"))
    assert not engine.faults
    return told


def test_the_day_has_exactly_the_incidents_that_it_names(day) -> None:
    raised = [(at[:5], rule, zone) for at, change, rule, _, zone in day if change == "raised"]
    assert raised == [
        ("09:20", "R-B04", plan.SOUTH_GATE),  # a notice to the grid worker; the door opened
        ("10:05", "R-B07", "hh-b08-zone"),  # to the property office, not to the police
        ("12:10", "R-D02", plan.EAST_GATE),
        ("14:05", "R-C05", plan.SQUARE),
        ("17:50", "R-D01", "hh-b12-zone"),
        ("20:30", "R-B09", "hh-b03-zone"),
        ("22:40", "R-E01", plan.EAST_GATE),  # what came of it is in the next test: one incident
    ]


def test_the_evening_is_one_incident_that_climbs(day) -> None:
    climbed = [(at[:5], severity) for at, _, rule, severity, _ in day if rule == "R-E01"]
    assert climbed[0] == ("22:40", 4)
    assert climbed[-1] == ("22:48", 1)
    levels = [severity for _, severity in climbed]
    assert levels == sorted(levels, reverse=True), "it never becomes milder"
    assert {4, 3, 1} <= set(levels)


def test_the_blocked_lane_becomes_urgent_after_fifteen_minutes(day) -> None:
    said = [(at[:5], change, severity) for at, change, rule, severity, _ in day if rule == "R-C05"]
    assert said[:2] == [("14:05", "raised", 3), ("14:15", "amended", 2)]


def test_the_building_that_was_cut_off_is_one_device_alarm_that_clears_and_its_late_records_are_none(
    day,
) -> None:
    said = [(at[:5], change, rule) for at, change, rule, _, zone in day if zone == "hh-b12-zone"]
    assert said == [("17:50", "raised", "R-D01"), ("18:20", "cleared", "R-D01")]
