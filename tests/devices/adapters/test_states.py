import pytest

from devices.adapters.contract import MAX_BYTES, RefusedError
from devices.adapters.scalars import online_of, value_of
from devices.adapters.states import about, alarm, jammed, meaning, opening, state


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("b3_front_door", "door"),
        ("FrontDoorLock", "lock"),
        ("b3 window 2", "door"),
        ("SOS-3-2", "sos"),
        ("stair_smoke", "smoke"),
        ("co_alarm", "carbon_monoxide"),
        ("front_door_battery", "battery"),
        ("door-tamper", "tamper"),
        ("barrier east", "barrier"),
        ("1栋门磁", "door"),
        ("3单元烟感", "smoke"),
        ("5栋求助按钮", "sos"),
        ("gate_motion", None),
        ("window_vibration", None),
        ("doorbell", None),
        ("cobalt", None),
        ("shellydw2-A1B2C3", None),
        ("", None),
    ],
)
def test_a_name_says_what_a_thing_is_or_nothing(name: str, what: str | None) -> None:
    assert meaning(name) == what


def test_a_state_and_its_opposite_share_a_point_and_differ_in_its_value() -> None:
    shared = about("d", None)
    for what in ("door", "barrier", "lock", "smoke", "gas", "tamper", "battery", "fault"):
        one, other = state(what, is_on=True, at=shared), state(what, is_on=False, at=shared)
        assert one.point[0] == other.point[0]
        assert one.point[1] != other.point[1]
        assert one.type != other.type or (other.rests and other.attributes["ended"])


def test_a_jammed_bolt_is_a_third_state_of_the_lock() -> None:
    shared = about("d", None)
    points = {opening("lock", is_open, shared).point for is_open in (True, False)} | {jammed(shared).point}
    assert len(points) == 3
    assert {what for what, _ in points} == {"lock"}


def test_a_call_for_help_has_no_rest_and_no_point() -> None:
    assert alarm("sos", is_raised=False, at=about("d", None)) is None
    assert alarm("sos", is_raised=True, at=about("d", None)).point is None


def test_points_stay_within_what_is_stored() -> None:
    assert len(opening("door", True, about("d", None), "x" * 200).point[0]) == 64


@pytest.mark.parametrize(
    ("body", "value"),
    [(b"ON", "ON"), (b'"ON"', "ON"), (b" 17 ", 17), (b"true", True), (b"", None), (b"null", None), (b"\xef\xbb\xbf1", 1),
     ("开".encode(), "开"), (b"[1]", [1])],
)  # fmt: skip
def test_a_bare_value_is_json_or_text(body: bytes, value: object) -> None:
    assert value_of(body) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"{", "malformed_json"), (b"[1,", "malformed_json"), (b"\xff\xfe", "malformed_json"),
     (b"[" * 100_000, "malformed_json"), (b"x" * (MAX_BYTES + 1), "too_large")],
)  # fmt: skip
def test_what_is_neither_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        value_of(body)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("value", "online"),
    [("online", True), ("Offline", False), ({"state": "online"}, True), (True, True), (0, False), ("1", True),
     ("perhaps", None), (None, None), ({}, None)],
)  # fmt: skip
def test_online_is_said_in_many_ways(value: object, online: bool | None) -> None:
    assert online_of(value) is online
