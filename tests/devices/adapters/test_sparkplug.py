"""Sparkplug B, with payloads put together by hand after the specification."""

import datetime as dt

import pytest

from devices.adapters.contract import Decoded, Incoming, RefusedError
from devices.adapters.sparkplug import SparkplugAdapter

AT = dt.datetime(2026, 11, 23, 7, 15, 2, tzinfo=dt.UTC)
MS = int(AT.timestamp() * 1000)


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 127
        out.append(low | (128 if value else 0))
        if not value:
            return bytes(out)


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def piece(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def metric(name: str | None, value: bool, *more: bytes, at: int | None = MS) -> bytes:
    head = b"" if name is None else piece(1, name.encode())
    time = b"" if at is None else number(3, at)
    return piece(2, head + time + number(4, 11) + number(14, int(value)) + b"".join(more))


def payload(*metrics: bytes) -> bytes:
    return number(1, MS) + b"".join(metrics) + number(3, 7)


HISTORICAL, ALIAS = number(5, 1), number(2, 4)


def decode(body: bytes, topic: str = "spBv1.0/yard/DDATA/hut/box-1") -> Decoded:
    return SparkplugAdapter().decode(Incoming(topic, body))


def test_contact_of_a_device_is_a_door_by_its_name() -> None:
    decoded = decode(payload(metric("Inputs/North Gate Door", True)))
    (reading,) = decoded.readings
    assert (reading.type, reading.device, reading.device_time) == ("door.opened", "box-1", AT)
    assert reading.point == ("door:Inputs/North Gate Door", "open")
    assert (decoded.sender, decoded.signs[0].online, decoded.signs[0].device) == ("hut", True, "box-1")


def test_historical_metric_completes_history_and_moves_nothing_of_now() -> None:
    (reading,) = decode(payload(metric("smoke", True, HISTORICAL, at=MS - 3_600_000))).readings
    assert (reading.type, reading.late, reading.point) == ("alarm.smoke", True, None)
    assert (reading.record_id, reading.device_time) == ("metric:smoke", AT - dt.timedelta(hours=1))
    assert decode(payload(metric("smoke", False, HISTORICAL))).readings == ()


def test_message_with_history_in_it_says_nothing_of_the_clock() -> None:
    assert decode(payload(metric("door", True, HISTORICAL))).signs[0].device_time is None
    assert decode(payload(metric("door", True))).signs[0].device_time == AT


def test_button_and_smoke_are_alarms_and_rest_is_none() -> None:
    decoded = decode(payload(metric("sos", True), metric("smoke", False), metric("sos-2", False)))
    assert [(reading.type, reading.rests) for reading in decoded.readings] == [
        ("alarm.sos", False),
        ("alarm.smoke", True),
    ]


def test_what_is_no_security_is_no_event() -> None:
    assert decode(payload(metric("pump running", True))).ignored == "not_security"


def test_alias_alone_cannot_be_read_and_is_said() -> None:
    decoded = decode(payload(metric("door", True), metric(None, True, ALIAS)))
    assert len(decoded.readings) == 1
    assert decoded.partial is not None
    assert decoded.partial[0] == "missing_field"
    with pytest.raises(RefusedError) as refused:
        decode(payload(metric(None, True, ALIAS)))
    assert refused.value.reason == "missing_field"


@pytest.mark.parametrize(
    ("topic", "device", "online"),
    [
        ("spBv1.0/yard/NBIRTH/hut", None, True),
        ("spBv1.0/yard/DBIRTH/hut/box-1", "box-1", True),
        ("spBv1.0/yard/NDEATH/hut", None, False),
        ("spBv1.0/yard/DDEATH/hut/box-1", "box-1", False),
    ],
)
def test_births_and_deaths_are_online_and_offline(topic: str, device: str | None, online: bool) -> None:
    (sign,) = decode(payload(metric("bdSeq", False)), topic).signs
    assert (sign.device, sign.online, sign.birth) == (device, online, online)
    if not online:
        assert sign.device_time is None, "a last will carries the time of the connection"


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("spBv1.0/yard/NCMD/hut", b"", "command_not_event"),
        ("spBv1.0/yard/DCMD/hut/box-1", b"", "command_not_event"),
        ("spBv1.0/yard/NDATA/hut/box-1", b"", "wrong_topic"),
        ("spBv1.0/yard/DDATA/hut", b"", "wrong_topic"),
        ("spBv1.0/yard/XDATA/hut", b"", "wrong_topic"),
        ("spBv1.0/yard/NDATA/hut", b"\x0a\x05abc", "invalid_field"),
        ("spBv1.0/yard/NDATA/hut", b"\xff" * 11, "invalid_field"),
        ("spBv1.0/yard/NDATA/hut", b"\x0b", "invalid_field"),
        ("spBv1.0/yard/NDATA/hut", b"\x0d\x01", "invalid_field"),
    ],
)
def test_what_is_none_is_refused(topic: str, body: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        decode(body, topic)
    assert refused.value.reason == reason


def test_numbers_and_words_are_states_too() -> None:
    as_int = piece(2, piece(1, b"door") + number(10, 1))
    as_word = piece(2, piece(1, b"lock") + piece(15, b"off"))
    as_float = piece(2, piece(1, b"gate") + varint(12 << 3 | 5) + bytes(4))
    assert [reading.type for reading in decode(payload(as_int, as_word, as_float)).readings] == [
        "door.opened",
        "door.closed",
        "door.closed",
    ]
