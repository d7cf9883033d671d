from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus import subjects
from bus.embedded import (
    DeviceLogin,
    EmbeddedConfig,
    Refusal,
    device_of,
    find_server,
    is_safe_name,
    parse_refusal,
)


def config(**changes: object) -> EmbeddedConfig:
    fields = {
        "host": "127.0.0.1",
        "nats_port": 4222,
        "mqtt_host": "127.0.0.1",
        "mqtt_port": 1883,
        "store": Path("store"),
        "core_user": "ringward",
        "core_password_hash": "$2b$04$core",
        "devices": [DeviceLogin("cam-1", "honghua", "$2b$04$cam")],
    }
    return EmbeddedConfig(**fields | changes)


def test_device_is_given_its_own_branch_and_no_more() -> None:
    text = config().render()
    assert (
        '{ user: "cam-1", password: "$2b$04$cam", permissions: { '
        'publish: { allow: ["rw.v1.honghua.cam-1.up", "rw.v1.honghua.cam-1.up.>"] }, '
        'subscribe: { allow: ["rw.v1.honghua.cam-1.down", "rw.v1.honghua.cam-1.down.>"] } } }' in text
    )


def test_nothing_that_was_acknowledged_waits_in_memory() -> None:
    assert "sync_interval: always" in config().render()
    assert 'ack_wait: "2s"' in config().render()


@pytest.mark.parametrize("value", ['a"b', "a\\b", "a\nb"])
@pytest.mark.parametrize(
    "field", ["core_user", "core_password_hash", "host", "store", "secret_hash", "device_id", "compound"]
)
def test_value_that_would_end_its_quotes_is_refused(field: str, value: str) -> None:
    login = {"device_id": "cam-1", "compound": "honghua", "secret_hash": "$2b$04$cam"}
    changes: dict[str, object] = {field: value}
    if field in login:
        changes = {"devices": [DeviceLogin(**login | {field: value})]}
    with pytest.raises(ValueError, match="may"):
        config(**changes).render()


@pytest.mark.parametrize("name", ["*", ">", "a.b", "a/b", "a b", "", "x" * 65, "+", "#", "门", '"]}'])
def test_name_that_would_widen_a_branch_is_refused(name: str) -> None:
    assert not is_safe_name(name)
    for login in (DeviceLogin(name, "honghua", "h"), DeviceLogin("cam-1", name, "h")):
        with pytest.raises(ValueError, match="letters, digits"):
            config(devices=[login]).render()


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), st.sampled_from(["event", "state"]))
def test_topic_names_its_compound_and_device(name: str, leaf: str) -> None:
    assert is_safe_name(name)
    assert device_of(subjects.uplink("honghua", name, leaf)) == ("honghua", name)
    assert device_of(subjects.downlink(name, "cam-1", "ack")) == (name, "cam-1")


@pytest.mark.parametrize("topic", ["", "rw/v1", "rw/v1/c1", "rw/v2/c1/d1/up/event", "x/rw/v1/c1/d1"])
def test_other_topic_names_nobody(topic: str) -> None:
    assert device_of(topic) == (None, None)


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        (
            '[7] 2026/11/23 [ERR] 127.0.0.1:53262 - mid:28 - "cam-1" - Publish Violation - Subject "rw.v1.c.other.up.event"',
            Refusal("broker_forbidden_topic", "cam-1", "rw/v1/c/other/up/event", ""),
        ),
        (
            '[ERR] 127.0.0.1:5 - mid:2 - "cam-1" - authentication error - User "cam-1"',
            Refusal("broker_auth_failed", "cam-1", "", "cam-1"),
        ),
        (
            '[ERR] 127.0.0.1:5 - mid:2 - "cam-1" - maximum payload exceeded: 17825792 vs 16777216',
            Refusal("broker_too_large", "cam-1", "", "17825792 vs 16777216"),
        ),
        ("[INF] Server is ready", None),
        ("[ERR] 127.0.0.1:5 - mid:2 - read error", None),
        ("", None),
    ],
)
def test_refusal_is_read_from_the_servers_log(line: str, refusal: Refusal | None) -> None:
    assert parse_refusal(line) == refusal


def test_refusal_that_is_too_long_is_cut() -> None:
    line = f'[ERR] - "{"c" * 99}" - Publish Violation - Subject "{"s." * 500}x"'
    refusal = parse_refusal(line)
    assert (len(refusal.client), len(refusal.topic)) == (64, 200)


def test_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find_server(tmp_path / "nats-server")
    (tmp_path / "nats-server").touch()
    assert find_server(tmp_path / "nats-server") == tmp_path / "nats-server"
