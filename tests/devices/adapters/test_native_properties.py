import contextlib
import datetime as dt
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.adapters.canonical import EVENT_TYPES, SENSITIVE
from devices.adapters.contract import Reading, RefusedError
from devices.adapters.native import decode_event, decode_state

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(sorted(SENSITIVE)), inner, max_size=4)
    ),
    max_leaves=12,
)
# Mostly right, so that what is wrong lies deep enough to matter.
events = st.fixed_dictionaries(
    {"id": st.text(max_size=220) | values, "type": st.sampled_from(sorted(EVENT_TYPES)) | values},
    optional={
        "v": st.just(1) | values,
        "at": st.datetimes().map(dt.datetime.isoformat)
        | st.datetimes(timezones=st.timezones()).map(dt.datetime.isoformat)
        | values,
        "late": st.booleans() | values,
        "direction": st.sampled_from(["in", "out"]) | values,
        "track": st.text(max_size=8) | values,
        "credential": st.fixed_dictionaries({"kind": st.text(max_size=4) | values}) | values,
        "plate": st.fixed_dictionaries(
            {}, optional={"text": st.text(), "confidence": st.floats(0, 1) | values}
        )
        | values,
        "match": st.fixed_dictionaries({}, optional={"score": st.floats(0, 1) | st.text(max_size=4)})
        | values,
        "images": st.lists(
            st.fixed_dictionaries({"role": st.just("face"), "jpeg": st.text(max_size=12)}), max_size=3
        )
        | values,
        "attributes": st.dictionaries(st.text(max_size=8), values, max_size=4) | values,
        "vendor": values,
    },
)


def read(payload: bytes) -> Reading | str:
    """The event, or the code of its refusal."""
    try:
        return decode_event(payload)
    except RefusedError as refused:
        return refused.reason


def keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    if isinstance(value, list):
        return set().union(*map(keys, value))
    return set()


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_refused_and_nothing_else_happens(payload: bytes) -> None:
    for decode in (decode_event, decode_state):
        with contextlib.suppress(RefusedError):
            decode(payload)


@given(values)
def test_arbitrary_json_is_refused_and_nothing_else_happens(value: object) -> None:
    for decode in (decode_event, decode_state):
        with contextlib.suppress(RefusedError):
            decode(json.dumps(value).encode())


@settings(max_examples=400)
@given(events)
def test_almost_an_event_is_read_or_refused_with_a_code(value: dict) -> None:
    decoded = read(json.dumps(value).encode())
    if isinstance(decoded, str):
        assert decoded in {"malformed_json", "invalid_field", "unknown_type"}
        return
    assert decoded.record_id == value["id"]
    assert decoded.type in EVENT_TYPES
    assert decoded.device_time is None or decoded.device_time.tzinfo in {None, dt.UTC}
    assert not keys(decoded.attributes) & SENSITIVE


@settings(max_examples=200)
@given(events, st.integers(0, 400))
def test_event_that_was_cut_off_is_refused(value: dict, length: int) -> None:
    payload = json.dumps(value).encode()
    if length >= len(payload):
        return
    assert read(payload[:length]) == "malformed_json"
