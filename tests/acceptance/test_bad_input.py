"""What devices get wrong: each ends where the operator can read why, and nothing stops."""

import base64
import datetime as dt
import json
from typing import Any

import pytest

from bus.login import BrokerLogin
from ringward.demo import DemoPictures, portraits
from tests.acceptance.deployment import Deployment
from tests.support.mqtt import Peer
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def device(deployment: Deployment) -> str:
    return next(name for name in sorted(deployment.secrets) if name.endswith("-face") and "guest" not in name)


def send(deployment: Deployment, device: str, payload: bytes, topic: str | None = None) -> None:
    login = BrokerLogin("127.0.0.1", deployment.mqtt_port, device, deployment.secrets[device], device)
    with Peer(login) as peer:
        peer.publish(topic or f"rw/v1/honghua/{device}/up/event", payload)


def event(record: str, **more: Any) -> bytes:
    fields = {"v": 1, "id": record, "type": "door.closed", "at": dt.datetime.now(dt.UTC).isoformat()}
    return json.dumps(fields | more).encode()


def dead_letter(deployment: Deployment, reason: str) -> dict[str, Any]:
    """The newest dead letter of a reason, as the operator's API shows it."""
    with deployment.client("operator") as client:

        def newest() -> dict[str, Any] | None:
            answer = client.get("/api/v1/deadletters").raise_for_status().json()
            return next((item for item in answer["items"] if item["reason"] == reason), None)

        return wait_until(newest, f"a dead letter {reason}")


def marks(deployment: Deployment, record: str) -> list[str]:
    found = wait_until(
        lambda: deployment.one("SELECT marks FROM events WHERE record_id = ?", record), f"event {record}"
    )
    return json.loads(found)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"v": 1, "id": "half', "malformed_json"),
        (b"[1, 2, 3]", "not_an_object"),
        (b'{"v": 1, "id": "x", "type": "door.exploded"}', "unknown_type"),
        (b'{"v": 1, "id": "x", "type": "door.opened", "at": "yesterday"}', "invalid_field"),
    ],
)
def test_a_message_that_is_no_event_is_a_dead_letter_with_its_reason(
    deployment: Deployment, device: str, payload: bytes, reason: str
) -> None:
    send(deployment, device, payload)
    letter = dead_letter(deployment, reason)
    assert letter["device_id"] == device
    assert letter["size"] == len(payload)


def test_nine_megabytes_are_refused_with_their_size(deployment: Deployment, device: str) -> None:
    send(deployment, device, event("huge", attributes={"pad": "x" * 9_000_000}))
    assert dead_letter(deployment, "too_large")["size"] > 9_000_000


def test_a_wrong_topic_in_the_own_branch_keeps_its_bytes(deployment: Deployment, device: str) -> None:
    send(deployment, device, event("astray"), f"rw/v1/honghua/{device}/up/evnet")
    assert dead_letter(deployment, "wrong_topic")["topic"].endswith("/up/evnet")


def test_a_foreign_branch_is_closed_and_said_so(deployment: Deployment, device: str) -> None:
    send(deployment, device, event("spoof"), "rw/v1/honghua/hh-b01-door/up/event")
    assert dead_letter(deployment, "broker_forbidden_topic")["topic"] == "rw/v1/honghua/hh-b01-door/up/event"
    assert deployment.one("SELECT count(*) FROM events WHERE record_id = 'spoof'") == 0


def test_an_unknown_device_is_turned_away_and_said_so(deployment: Deployment) -> None:
    login = BrokerLogin("127.0.0.1", deployment.mqtt_port, "nobody-knows-me", "secret", "nobody-knows-me")
    peer = Peer(login)
    refused: list[Any] = []
    peer.client.on_connect = lambda _c, _u, _f, reason, _p: refused.append(reason)
    peer.client.connect("127.0.0.1", deployment.mqtt_port)
    peer.client.loop_start()
    wait_until(lambda: refused, "the broker's answer")
    peer.client.loop_stop()
    assert refused[0].is_failure
    assert dead_letter(deployment, "broker_auth_failed")["device_id"] == "nobody-knows-me"


def test_broken_pictures_mark_their_event_and_recognition_goes_on(
    deployment: Deployment, device: str, pictures: DemoPictures
) -> None:
    face = pictures.face(portraits.RESIDENT_A)
    blank = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    )

    def shot(record: str, content: bytes) -> bytes:
        return event(
            record,
            type="face.captured",
            direction="in",
            images=[{"role": "face", "jpeg": base64.b64encode(content).decode()}],
        )

    send(deployment, device, shot("cut-off", face[: len(face) // 3]))
    send(deployment, device, shot("png", blank))
    send(deployment, device, shot("noise", b"\xff\xd8\xff" + bytes(range(256)) * 20))
    send(deployment, device, shot("after", face))
    assert "picture_truncated" in marks(deployment, "cut-off")
    assert "png_named_jpeg" in marks(deployment, "png")
    outcome = "SELECT d.outcome FROM decisions d JOIN events e ON e.id = d.event_id WHERE e.record_id = ?"
    assert wait_until(lambda: deployment.one(outcome, "after"), "the good one") == "identified"
    for record in ("cut-off", "png", "noise"):
        found = wait_until(lambda record=record: deployment.one(outcome, record), f"a decision on {record}")
        assert found in {"no_usable_picture", "no_face", "uncertain"}


def test_a_clock_one_day_off_is_marked_and_raises_nothing_late(deployment: Deployment, device: str) -> None:
    now = dt.datetime.now(dt.UTC)
    send(deployment, device, event("yesterday", at=(now - dt.timedelta(days=1)).isoformat()))
    send(deployment, device, event("tomorrow", at=(now + dt.timedelta(days=1)).isoformat()))
    assert "clock_skew" in marks(deployment, "yesterday")
    assert "clock_skew" in marks(deployment, "tomorrow")
    assert deployment.one("SELECT late FROM events WHERE record_id = 'yesterday'") == 1


def test_a_record_again_is_counted_and_a_record_with_other_content_is_a_dead_letter(
    deployment: Deployment, device: str
) -> None:
    at = dt.datetime.now(dt.UTC).isoformat()
    send(deployment, device, event("twice", at=at))
    send(deployment, device, event("twice", at=at))
    wait_until(
        lambda: deployment.one("SELECT resent FROM events WHERE record_id = 'twice'") == 1,
        "the second is counted",
    )
    send(deployment, device, event("twice", at=at, type="door.opened", attributes={"cause": "exit_button"}))
    assert dead_letter(deployment, "duplicate_id_conflict")["device_id"] == device
    assert deployment.one("SELECT count(*) FROM events WHERE record_id = 'twice'") == 1


def test_a_message_that_breaks_the_protocol_hurts_only_its_sender(
    deployment: Deployment, device: str
) -> None:
    login = BrokerLogin(
        "127.0.0.1", deployment.mqtt_port, device, deployment.secrets[device], f"{device}-raw"
    )
    with Peer(login) as peer:
        gone: list[Any] = []
        peer.client.on_disconnect = lambda *_: gone.append(True)
        socket = peer.client.socket()
        assert socket is not None
        # A PUBLISH with both QoS bits set, which MQTT forbids.
        socket.send(bytes([0x36, 0x7F]) + bytes(200))
        wait_until(lambda: gone, "the broker hung up")
    send(deployment, device, event("still-here"))
    assert marks(deployment, "still-here") == []
