import datetime as dt
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.messages import (
    CredentialUse,
    DeviceChanged,
    DeviceMatch,
    DispatchChanged,
    EventStored,
    IncidentChanged,
    Message,
    Picture,
    PlateReading,
    Sighting,
    decode,
    encode,
)
from tests.support.clock import NOON

times = st.datetimes(timezones=st.just(dt.UTC))
texts = st.text(st.characters(codec="utf-8"), max_size=20)
scores = st.none() | st.floats(0, 1)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
PARTS = {
    dt.datetime: times,
    str: texts,
    float: st.floats(allow_nan=False, allow_infinity=False),
    dict: st.dictionaries(texts, json_values, max_size=4),
}
events = st.builds(
    EventStored,
    device_time=times,
    at=times,
    received_at=times,
    lane=st.none() | texts,
    late=st.booleans(),
    credential=st.none() | st.builds(CredentialUse, kind=texts, ref=st.none() | texts),
    plate=st.none() | st.builds(PlateReading, text=st.none() | texts, confidence=scores),
    match=st.none()
    | st.builds(DeviceMatch, person_ref=st.none() | texts, score=scores, liveness=st.none() | st.booleans()),
    pictures=st.lists(
        st.builds(Picture, role=texts, media_id=texts, size=st.integers(0, 2**40)), max_size=3
    ).map(tuple),
    attributes=PARTS[dict],
    marks=st.lists(texts, max_size=3).map(tuple),
)
sightings = st.builds(
    Sighting,
    at=times,
    received_at=times,
    score=scores,
    reasons=st.lists(texts, max_size=3).map(tuple),
    plate=st.none() | texts,
)
whole = st.integers(0, 2**31)
messages = st.one_of(
    events,
    sightings,
    st.builds(IncidentChanged, at=times, version=whole, severity=whole),
    st.builds(DispatchChanged, at=times),
    st.builds(DeviceChanged, at=times, online=st.booleans()),
)


@given(messages)
def test_message_comes_back_as_it_was(message: Message) -> None:
    back = decode(encode(message))
    assert back == message
    assert type(back) is type(message)


@given(messages, st.dictionaries(texts.map("x_{}".format), json_values, min_size=1, max_size=3))
def test_fields_of_a_newer_version_are_passed_over(message: Message, newer: dict) -> None:
    fields = json.loads(encode(message))
    assert decode(json.dumps(fields | newer).encode()) == message


@given(messages)
def test_message_says_its_kind(message: Message) -> None:
    kinds = {
        "event": EventStored,
        "sighting": Sighting,
        "incident": IncidentChanged,
        "dispatch": DispatchChanged,
    }
    kind = json.loads(encode(message))["kind"]
    assert isinstance(message, kinds.get(kind, DeviceChanged))
    assert kind in {*kinds, "device"}


def test_absent_fields_are_not_sent() -> None:
    message = DeviceChanged("cam-1", "honghua", online=True, at=NOON)
    assert json.loads(encode(message)) == {
        "kind": "device",
        "device_id": "cam-1",
        "compound": "honghua",
        "online": True,
        "at": "2026-11-23T04:00:00Z",
    }


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"kind":"rumour"}',
        b'{"kind":"device"}',
        b'{"kind":"device","device_id":1,"compound":"c","online":true,"at":"2026-11-23T04:00:00Z"}',
    ],
)
def test_what_is_none_of_ours_is_refused(payload: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(payload)
