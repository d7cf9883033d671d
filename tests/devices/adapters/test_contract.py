"""What holds for every adapter, whatever bytes it is given."""

import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.adapters import ADAPTERS, matches, named, speaking
from devices.adapters.canonical import EVENT_TYPES, IDENTIFYING, SENSITIVE, is_unwanted
from devices.adapters.contract import (
    COMMANDS,
    MAX_PICTURES,
    Adapter,
    Decoded,
    Incoming,
    Order,
    Person,
    RefusedError,
)

NOW = dt.datetime(2026, 11, 23, 7, 15, 2, tzinfo=dt.UTC)
adapters = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=lambda adapter: adapter.name)

words = st.sampled_from(sorted(SENSITIVE | IDENTIFYING))
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["", " ", "0", "1", "-1", "1e400", "2026-11-23 07:15:02", "data:image/jpeg;base64,/9j/2Q=="])
)  # fmt: skip


def topic_of(wanted: str) -> str:
    return wanted.replace("+", "a1b2").replace("#", "x/y")


def wire_values(adapter: Adapter) -> st.SearchStrategy[object]:
    """JSON made of the adapter's own field names, sensitive ones and strange ones."""
    own = sorted({part.removesuffix("[]") for path in adapter.fields for part in path.split(".")} | {"type"})
    names = st.sampled_from(own) | words | st.text(max_size=6)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6),
        max_leaves=16,
    )


def check(adapter: Adapter, message: Incoming) -> Decoded | None:
    """Decodes, and holds the result against what every adapter promises."""
    try:
        decoded = adapter.decode(message)
    except RefusedError as refused:
        reason = refused.reason
    else:
        return held(decoded)
    assert reason
    adapter.refused(message, reason)
    return None


def held(decoded: Decoded) -> Decoded:
    for reading in decoded.readings:
        assert reading.type in EVENT_TYPES
        assert reading.record_id is None or 1 <= len(reading.record_id) <= 200
        assert "\0" not in (reading.record_id or "")
        assert reading.direction in {None, "in", "out"}
        assert len(reading.pictures) <= MAX_PICTURES
        for score in (
            reading.plate.confidence if reading.plate else None,
            reading.match.score if reading.match else None,
        ):
            assert score is None or 0 <= score <= 1
        if reading.plate is not None and reading.plate.text is not None:
            assert 1 <= len(reading.plate.text) <= 32
        if reading.device_time is not None and reading.device_time.tzinfo is not None:
            assert reading.device_time.utcoffset() == dt.timedelta(0)
        # What an event keeps can be written down, and holds nothing of what nobody may know.
        json.dumps(reading.attributes, allow_nan=False)
        assert not any(is_unwanted(name) for name in names_in(reading.attributes))
    return decoded


def names_in(value: object) -> list[str]:
    if isinstance(value, dict):
        return [*map(str, value), *(name for item in value.values() for name in names_in(item))]
    if isinstance(value, list):
        return [name for item in value for name in names_in(item)]
    return []


@adapters
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_bytes_are_understood_or_refused_with_a_reason(adapter: Adapter, data: st.DataObject) -> None:
    body = data.draw(st.binary(max_size=200))
    content_type = data.draw(
        st.none() | st.sampled_from(["application/json", "application/xml", "application/x-www-form-urlencoded",
                                     "multipart/form-data; boundary=b", "text/plain", "image/jpeg"])
    )  # fmt: skip
    topic = data.draw(st.sampled_from([*map(topic_of, adapter.topics), ""]) | st.text(max_size=20))
    check(adapter, Incoming(topic, body, content_type))


@adapters
@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_any_json_is_understood_or_refused_with_a_reason(adapter: Adapter, data: st.DataObject) -> None:
    body = json.dumps(data.draw(wire_values(adapter)), default=str)
    topic = data.draw(st.sampled_from([*map(topic_of, adapter.topics), ""]))
    content_type = data.draw(st.none() | st.just("application/json"))
    check(adapter, Incoming(topic, body.encode(), content_type))


@adapters
def test_commands_are_encoded_for_one_device_and_are_never_longer_than_a_message(adapter: Adapter) -> None:
    assert adapter.commands <= COMMANDS
    for kind in adapter.commands:
        order = Order(
            "c" * 32,
            kind,
            "dev-1",
            NOW,
            {"door": 1, "seconds": 5.0, "text": "请让一让", "from": NOW, "until": NOW},
            (Person("a1b2c3", "住户", "http://192.0.2.1/p/x.jpg", "00A1", NOW, NOW, 1),),
            ("a1b2c3",),
        )
        sent = adapter.encode(order)
        assert sent
        for message in sent:
            assert not {"+", "#"} & set(message.topic)
            rights = adapter.rights("dev-1")
            assert any(matches(wanted.split("/"), message.topic.split("/")) for wanted in rights.subscribe)
        assert adapter.encode(order) == sent


@adapters
def test_an_adapter_is_found_by_its_names_and_topics(adapter: Adapter) -> None:
    for name in (adapter.name, *adapter.aliases):
        assert named(name.upper().replace("_", "-")) is adapter
    for wanted in adapter.topics:
        assert adapter in speaking(topic_of(wanted))
    assert adapter.topics or adapter.pushes
    assert adapter.fields


def test_no_two_adapters_share_a_name() -> None:
    names = [name.lower() for adapter in ADAPTERS.values() for name in (adapter.name, *adapter.aliases)]
    assert len(names) == len(set(names))
