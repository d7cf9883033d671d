"""`ringward device` on a deployment."""

import datetime as dt
import json
import stat
from pathlib import Path

import pytest

from devices import candidates, observations
from devices.models import Device, Stage
from devices.observations import Heard
from ringward.foundation import Foundation
from storage import Database
from tests.ringward.test_commands import Run, actions, alone, ground, run, several  # noqa: F401
from tests.support.compound import COMPOUND


def device(database: Database, device_id: str = "new-1") -> Device:
    with database.read() as session:
        found = session.get_one(Device, device_id)
        session.expunge(found)
        return found


def hear(ground: Foundation, **more: object) -> None:  # noqa: F811
    said = {"sign_of_life": True, "proved": True, "picture": True} | more
    with ground.database.write() as session:
        observations.observed(session, [Heard("new-1", dt.datetime.now(dt.UTC), **said)])


def test_camera_is_put_into_service(ground: Foundation, run: Run, tmp_path: Path) -> None:  # noqa: F811
    told = run("device", "add", "new-1", "--zone", "gate", "--kind", "face_camera").stdout
    assert f"topic rw/v1/{COMPOUND}/new-1/up/event" in told
    assert "nothing was heard of it" in run("device", "test", "new-1", code=1).stdout
    hear(ground)
    run("device", "test", "new-1")
    assert "missing: photo of the sign" in run("device", "approve", "new-1", code=1).stdout
    photo = tmp_path / "sign.jpg"
    photo.write_bytes(b"\xff\xd8\xff a sign")
    run("device", "approve", "new-1", "--sign-photo", str(photo), "--privacy-checked")
    row = device(ground.database)
    assert (row.stage, row.approved_by) == (Stage.APPROVED, "cli")
    assert row.sign_photo is not None
    assert ground.media.get(row.sign_photo) == b"\xff\xd8\xff a sign"
    assert actions(ground) == [
        "device.registered", "device.tested", "device.sign_checked", "device.privacy_checked", "device.approved",
    ]  # fmt: skip
    run("device", "quarantine", "new-1")
    assert device(ground.database).stage == Stage.QUARANTINED


def test_camera_is_not_approved_on_the_way_in_without_its_sign(ground: Foundation, run: Run) -> None:  # noqa: F811
    add = ("device", "add", "new-1", "--zone", "gate", "--approve")
    assert "missing: photo of the sign" in run(*add, "--kind", "face_camera", code=1).stdout
    with ground.database.read() as session:
        assert session.get(Device, "new-1") is None
    run(*add, "--kind", "door")
    assert device(ground.database).stage == Stage.APPROVED


def test_candidate_is_seen_and_registered(ground: Foundation, run: Run) -> None:  # noqa: F811
    with ground.database.write() as session:
        candidates.note(session, "facesluice", None, "1305433", dt.datetime.now(dt.UTC), {"ip": "10.0.0.7"})
    (one,) = json.loads(run("device", "seen", "--json").stdout)["candidates"]
    assert (one["external_id"], one["facts"]) == ("1305433", {"ip": "10.0.0.7"})
    assert "facesluice  1305433" in run("device", "seen").stdout
    told = run(
        "device", "add", "new-1", "--zone", "gate", "--profile", "face-terminal", "--external-id", "1305433",
        "--lane", "l", "--direction", "in",
    ).stdout  # fmt: skip
    assert "publishes on mqtt/face/1305433/Rec" in told
    assert "listens to mqtt/face/1305433" in told
    assert "nobody" in run("device", "seen").stdout
    shown = json.loads(run("device", "show", "new-1", "--json").stdout)
    assert (shown["adapter"], shown["missing"]) == ("facesluice", ["not_heard"])


def test_direction_test_is_begun_and_read(ground: Foundation, run: Run) -> None:  # noqa: F811
    run("device", "add", "new-1", "--zone", "gate", "--kind", "door", "--lane", "l")
    run("device", "walk", "new-1", "--direction", "in")
    hear(ground, directions=(("access.granted", None),))
    assert "ringward device edit new-1 --direction in" in run("device", "show", "new-1").stdout
    run("device", "edit", "new-1", "--direction", "in")
    run("device", "test", "new-1")


def test_secret_is_renewed_beside_the_old_one_or_instead_of_it(ground: Foundation, run: Run) -> None:  # noqa: F811
    run("device", "add", "new-1", "--zone", "gate", "--kind", "door")
    assert "user new-1.2\n" in run("device", "secret", "new-1").stdout
    assert device(ground.database).previous_secret_until is not None
    assert "user new-1.2\n" in run("device", "secret", "new-1", "--overlap-minutes", "0").stdout
    assert device(ground.database).previous_secret_until is None


def test_list_says_how_far_each_is(ground: Foundation, run: Run) -> None:  # noqa: F811
    run("device", "add", "new-1", "--zone", "gate", "--kind", "door")
    found = json.loads(run("device", "list", "--stage", "quarantined", "--json").stdout)["devices"]
    assert [(one["id"], one["adapter"], one["stage"]) for one in found] == [
        ("new-1", "native", "quarantined")
    ]
    assert "cam-1" in run("device", "list").stdout
    run("device", "retire", "new-1")
    assert "new-1" not in run("device", "list").stdout
    assert "refused: device_retired" in run("device", "test", "new-1", code=1).stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--zone", "nowhere", "--kind", "door"), "no zone nowhere; there are: b1, gate"),
        (("--zone", "gate"), "refused: kind_missing"),
        (("--zone", "gate", "--kind", "door", "--direction", "up"), "direction is in or out"),
        (("--zone", "gate", "--kind", "door", "--adapter", "nobodys"), "no adapter nobodys"),
        (("--zone", "gate", "--kind", "door", "--gb28181", "1"), "refused: gb28181_bad part=length"),
    ],
)
def test_registration_that_does_not_hold_is_said(run: Run, options: tuple[str, ...], said: str) -> None:  # noqa: F811
    assert said in run("device", "add", "new-1", *options, code=1).stdout


@pytest.mark.parametrize(
    ("broker", "files"),
    [
        ("mosquitto", {"ringward.acl", "ringward.passwd"}),
        ("emqx", {"acl.conf", "ringward-users.csv"}),
        ("nats", {"ringward-users.conf"}),
    ],
)
def test_files_for_a_broker_of_ones_own_are_private_and_name_who_is_left_out(
    run: Run,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    broker: str,
    files: set[str],
) -> None:
    out = tmp_path / "broker"
    acl = ("device", "acl", "--broker", broker, "--out", str(out))
    assert "set mqtt_user and mqtt_password" in run(*acl, code=1).stdout
    monkeypatch.setenv("RINGWARD_NATS_URL", "nats://127.0.0.1:4222")
    monkeypatch.setenv("RINGWARD_MQTT_USER", "ringward")
    monkeypatch.setenv("RINGWARD_MQTT_PASSWORD", "the-core-password")
    run("device", "add", "new-1", "--zone", "gate", "--kind", "door")
    told = run(*acl).stdout
    # Those of the fixture are from before Mosquitto's hash was kept.
    assert ("left out: cam-1" in told) is (broker == "mosquitto")
    assert {path.name for path in out.iterdir()} == files
    for path in out.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        text = path.read_text()
        assert "new-1" in text
        assert "the-core-password" not in text
