"""What simulated devices say, written from the vendors' documents, is what the adapters read."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from devices.adapters import ADAPTERS
from devices.adapters.contract import Decoded, Incoming, Order, Person, Reading, RefusedError
from devices.simulator.wires import WIRES, Fact, Happening, Message, Place, Wire
from devices.simulator.wires.facesluice import FacesluiceWire

ZONE = ZoneInfo("Asia/Shanghai")
NOON = dt.datetime(2026, 11, 23, 4, 0, 2, 120_000, dt.UTC)
NAMES = {
    "jsske": "yard:31",
    "shelly": "b3-door",
    "tasmota": "b3-door",
    "axis": "ACCC8E000001",
    "ga1400": "53050200005030000001",
    "sparkplug": "hut",
}
BEHIND = {
    "artemis": ("src-1",),
    "frigate": ("yard",),
    "zigbee2mqtt": ("b3 front door",),
    "homeassistant": ("binary_sensor.b3_front_door", "binary_sensor.b3_smoke"),
    "chirpstack": ("24e124136c000001",),
    "hc_iot": ("M-77",),
    "sparkplug": ("box-1",),
    "ga1400": ("53050200001320000001",),
    "double_take": ("porch",),
}
# Every wire can be asked for each of its kinds; sos at a Shelly needs a name that says so.
CASES = [(name, kind) for name, wire in sorted(WIRES.items()) for kind in sorted(wire.can)]


def wire_of(name: str, **more: str) -> Wire:
    external = more.get("external") or NAMES.get(name, "1006498")
    return WIRES[name](Place("yard", "dev-1", external, ZONE, None, BEHIND.get(name, ())))


def happening(name: str, kind: str, *, size: int = 900, cut: bool = False) -> Happening:
    known = kind in {"access.granted", "face.identified", "access.duress"}
    behind = BEHIND.get(name, (None,))
    return Happening(
        kind,
        behind[-1] if kind == "alarm.smoke" else behind[0],
        person="p-0007" if known else None,
        plate="云M12345" if kind in {"plate.recognised", "vehicle.stranded"} else None,
        color="blue" if kind == "plate.recognised" else None,
        score=0.9375 if known or kind == "plate.recognised" else None,
        reason="not_registered" if kind == "access.denied" else None,
        direction="in",
        size=size,
        seed=7,
        cut=cut,
    )


def told(wire: Wire, message: Message) -> Decoded:
    return ADAPTERS[wire.adapter].decode(Incoming(message.topic, message.body, message.content_type))


def said_at(reading: Reading) -> dt.datetime | None:
    found = reading.device_time
    return found.replace(tzinfo=ZONE) if found is not None and found.tzinfo is None else found


def assert_tells(wire: Wire, fact: Fact, decoded: Decoded) -> Reading:
    matching = [one for one in decoded.readings if one.type == fact.kind]
    assert matching, [one.type for one in decoded.readings]
    reading = matching[0]
    assert said_at(reading) == fact.at
    assert reading.device == fact.device
    assert reading.late == fact.late
    if fact.number is None:
        assert reading.record_id is None
    else:
        assert reading.record_id is not None
        assert fact.number in reading.record_id
    return reading


def test_there_is_a_wire_for_every_adapter() -> None:
    assert set(WIRES) == set(ADAPTERS)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_message_becomes_the_event_that_it_tells(name: str, kind: str) -> None:
    wire = wire_of(name, external="sos-b3" if name == "shelly" and kind == "alarm.sos" else "")
    messages = wire.tell(happening(name, kind), NOON)
    assert any(message.facts for message in messages)
    for message in messages:
        decoded = told(wire, message)
        for fact in message.facts:
            reading = assert_tells(wire, fact, decoded)
            assert not {"picture_unreadable", "picture_truncated", "bad_base64"} & set(reading.marks)
            if kind == "plate.recognised":
                assert reading.plate is not None
                assert reading.plate.text == "云M12345"
        if not message.facts:
            assert all(one.rests for one in decoded.readings)


@pytest.mark.parametrize("name", sorted(name for name, wire in WIRES.items() if wire.keeps))
def test_what_was_kept_through_an_outage_says_so_where_the_vendor_has_a_word_for_it(name: str) -> None:
    wire = wire_of(name)
    messages = [
        message
        for kind in sorted(wire.can)
        for message in wire.tell(happening(name, kind), NOON, late=True)
        if message.facts
    ]
    assert messages
    for message in messages:
        for fact in message.facts:
            assert_tells(wire, fact, told(wire, message))


@pytest.mark.parametrize("name", sorted(WIRES))
def test_signs_of_life_are_read_as_such(name: str) -> None:
    wire = wire_of(name)
    for message in (*wire.hello(NOON), *wire.beat(NOON)):
        decoded = told(wire, message)
        assert decoded.signs
        assert all(sign.online for sign in decoded.signs)
        assert all(reading.rests or reading.point for reading in decoded.readings)
    will = wire.will()
    if will is not None:
        assert [sign.online for sign in told(wire, will).signs] == [False]


@pytest.mark.parametrize("name", sorted(WIRES))
def test_a_device_speaks_and_listens_only_where_it_may(name: str) -> None:
    wire = wire_of(name)
    adapter = ADAPTERS[name]
    rights = adapter.rights(wire.place.name)
    spoken = [*wire.hello(NOON), *wire.beat(NOON)]
    spoken += [message for kind in sorted(wire.can) for message in wire.tell(happening(name, kind), NOON)]
    spoken += [one for one in (wire.will(),) if one is not None]
    for message in spoken:
        if message.content_type is None and name != "native":
            assert any(fits(wanted, message.topic) for wanted in rights.publish), message.topic
    for wanted in wire.listens():
        if name != "native":
            assert any(fits(granted, wanted) for granted in rights.subscribe), wanted
    assert wire.pushes == all(message.content_type is not None for message in spoken)
    assert not wire.pushes or adapter.pushes


def fits(wanted: str, topic: str) -> bool:
    levels, given = wanted.split("/"), topic.split("/")
    for position, level in enumerate(levels):
        if level == "#":
            return True
        if position >= len(given) or level not in {"+", given[position]}:
            return False
    return len(levels) == len(given)


@pytest.mark.parametrize("name", sorted(WIRES))
def test_a_message_that_breaks_off_is_refused(name: str) -> None:
    wire = wire_of(name)
    first, second = wire.broken(1), wire.broken(2)
    assert first.body != second.body
    with pytest.raises(RefusedError):
        told(wire, first)


@pytest.mark.parametrize("name", ["native", "facesluice", "hikvision", "zhenshi", "uface", "haan", "dahua"])
def test_a_picture_that_breaks_off_marks_its_event_and_loses_none(name: str) -> None:
    wire = wire_of(name)
    kind = "plate.recognised" if name == "zhenshi" else "access.granted"
    (message,) = wire.tell(happening(name, kind, cut=True), NOON)
    reading = assert_tells(wire, message.facts[0], told(wire, message))
    assert "picture_truncated" in reading.marks


@pytest.mark.parametrize("name", ["native", "facesluice", "jsske", "haan"])
def test_the_answer_that_the_adapter_gives_confirms_the_record(name: str) -> None:
    wire = wire_of(name)
    (message,) = wire.tell(happening(name, "access.granted"), NOON)
    (answer,) = told(wire, message).answers
    assert any(fits(wanted, answer.topic) for wanted in wire.listens())
    assert wire.hear(answer.topic, answer.payload, NOON).confirmed == (message.key,)


def test_a_record_said_again_is_the_same_record_and_late() -> None:
    wire = wire_of("facesluice")
    (message,) = wire.tell(happening("facesluice", "face.captured"), NOON)
    first, again = (told(wire, one).readings[0] for one in (message, wire.again(message)))
    assert (first.record_id, first.device_time, first.late) == (again.record_id, again.device_time, False)
    assert again.late


def test_online_is_said_until_it_is_answered() -> None:
    wire = wire_of("facesluice")
    (hello,) = wire.hello(NOON)
    (answer,) = told(wire, hello).answers
    assert wire.hear(answer.topic, answer.payload, NOON).confirmed == (hello.key,)


@pytest.mark.parametrize(
    ("name", "kind", "result"),
    [
        ("native", "open", True),
        ("facesluice", "open", True),
        ("facesluice", "sync_time", True),
        ("zhenshi", "speak", True),
        ("zhenshi", "open", True),
        ("haan", "open", True),
        ("yilandu", "open", True),
        ("shelly", "open", True),
    ],
)
def test_a_command_is_done_and_answered(name: str, kind: str, result: bool) -> None:
    wire, adapter = wire_of(name), ADAPTERS[name]
    order = Order("c-1", kind, wire.place.name, NOON.astimezone(ZONE), {"text": "您好"}, compound="yard")
    if name == "native":
        order = Order("c-1", kind, "dev-1", NOON.astimezone(ZONE), compound="yard")
    heard = [
        wire.hear(sent.topic, sent.payload, NOON)
        for sent in adapter.encode(order)
        if any(fits(wanted, sent.topic) for wanted in wire.listens())
    ]
    assert len(heard) == 1
    results = [one for said in heard[0].says for one in told(wire, said).results]
    assert [one.ok for one in results] == [result]
    assert results[0].command_id in {"c-1", None}


def test_a_barrier_that_is_commanded_tells_that_it_opened() -> None:
    wire = wire_of("zhenshi")
    order = Order("c-1", "open", wire.place.name, NOON)
    says = wire.hear(
        f"device/{wire.place.name}/message/down/gpio_out",
        ADAPTERS["zhenshi"].encode(order)[0].payload,
        NOON,
    ).says
    types = [one.type for said in says for one in told(wire, said).readings]
    assert types == ["barrier.opened"]


def test_a_terminal_keeps_the_list_of_people_that_it_was_sent() -> None:
    wire, adapter = wire_of("facesluice"), ADAPTERS["facesluice"]
    assert isinstance(wire, FacesluiceWire)
    people = (Person("r-1", "1801", "http://192.168.7.2/p/1"), Person("r-2", "1802"))
    order = Order("c-2", "enrol", wire.place.name, NOON.astimezone(ZONE), people=people)
    (sent,) = adapter.encode(order)
    (answer,) = wire.hear(sent.topic, sent.payload, NOON).says
    (result,) = told(wire, answer).results
    assert sorted(wire.people) == ["r-1"]
    assert {one[0]: one[1] for one in result.people} == {"r-1": True, "r-2": False}
    (sent,) = adapter.encode(
        Order("c-3", "delete", wire.place.name, NOON.astimezone(ZONE), refs=("r-1", "r-9"))
    )
    (answer,) = wire.hear(sent.topic, sent.payload, NOON).says
    (result,) = told(wire, answer).results
    assert not wire.people
    assert {one[0]: one[1] for one in result.people} == {"r-1": True, "r-9": False}


def test_records_of_a_period_are_pushed_again_when_somebody_asks() -> None:
    wire, adapter = wire_of("facesluice"), ADAPTERS["facesluice"]
    first, second = (
        wire.tell(happening("facesluice", "access.granted"), NOON + dt.timedelta(minutes=minutes))[0]
        for minutes in (0, 30)
    )
    order = Order(
        "c-4",
        "resend",
        wire.place.name,
        NOON.astimezone(ZONE),
        {"from": NOON - dt.timedelta(minutes=1), "until": NOON + dt.timedelta(minutes=5)},
    )
    says = wire.hear(wire.listens()[0], adapter.encode(order)[0].payload, NOON + dt.timedelta(hours=1)).says
    replayed = [one for said in says for one in told(wire, said).readings]
    assert [one.late for one in replayed] == [True]
    assert replayed[0].record_id == told(wire, first).readings[0].record_id
    assert replayed[0].record_id != told(wire, second).readings[0].record_id


def test_a_contact_says_only_what_has_changed() -> None:
    for name in ("shelly", "tasmota", "zigbee2mqtt", "homeassistant", "chirpstack"):
        wire = wire_of(name)
        opened = happening(name, "door.opened", size=0)
        assert len(wire.tell(opened, NOON)) == 1
        assert wire.tell(opened, NOON) == []


def test_a_factory_reset_starts_the_numbers_anew() -> None:
    for name in sorted(WIRES):
        wire = wire_of(name)
        kind = min(wire.can)
        first = wire.tell(happening(name, kind), NOON)
        wire.tell(happening(name, "access.granted" if "access.granted" in wire.can else kind), NOON)
        wire.reset()
        again = wire_of(name).tell(happening(name, kind), NOON)
        assert [one.facts for one in first] == [one.facts for one in again]
        assert wire.count == 0
