"""`ringward device stream` on a deployment, and what show, list and doctor say of it."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import update
from typer.testing import CliRunner

from devices.models import DeviceKind
from devices.streams import DeviceStream
from ringward.cli import app
from ringward.cli.doctor import examine
from ringward.foundation import Foundation
from tests.ringward.deployments import Deployments
from tests.ringward.test_commands import Run, actions, alone, ground, run, several  # noqa: F401
from tests.support.compound import device

READ = ("device", "stream", "hik-1", "--url", "http://192.168.10.21", "--user", "reader")


@pytest.fixture(autouse=True)
def camera(ground: Foundation) -> None:  # noqa: F811
    with ground.database.write() as session:
        session.add(device("hik-1", DeviceKind.PLATE_CAMERA, adapter="hikvision"))


def typed(ground: Foundation, *words: str, password: str = "north-gate-7\n") -> Result:  # noqa: F811
    where = ("--data-dir", str(ground.settings.data_dir))
    result = CliRunner().invoke(app, [*words, *where], input=password)
    Deployments.enter(ground)
    return result


def stream(ground: Foundation) -> DeviceStream | None:  # noqa: F811
    with ground.database.read() as session:
        row = session.get(DeviceStream, "hik-1")
        if row is not None:
            session.expunge(row)
        return row


def test_stream_is_read_turned_off_and_removed(ground: Foundation, run: Run) -> None:  # noqa: F811
    result = typed(ground, *READ)
    assert result.exit_code == 0, result.output
    assert "north-gate-7" not in result.output
    row = stream(ground)
    assert row is not None
    assert (row.username, row.password, row.enabled) == ("reader", "north-gate-7", True)
    run("device", "stream", "hik-1", "--off")
    assert [one.get("stream") for one in listed(run)] == ["off"]
    run("device", "stream", "hik-1", "--on")
    assert [one.get("stream") for one in listed(run)] == ["not_called"]
    run("device", "stream", "hik-1", "--remove")
    assert stream(ground) is None
    assert actions(ground) == [
        "device.stream_set", "device.stream_off", "device.stream_on", "device.stream_removed",
    ]  # fmt: skip
    assert "it has no stream" in run("device", "stream", "hik-1", "--off", code=1).stdout
    assert "it has no stream" in run("device", "stream", "hik-1", "--remove", code=1).stdout


def listed(run: Run) -> list[dict[str, object]]:  # noqa: F811
    found = json.loads(run("device", "list", "--json").stdout)["devices"]
    return [one for one in found if one["id"] == "hik-1"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--url", "http://8.8.8.8", "--user", "reader"), "stream_networks"),
        (("--url", "http://192.168.10.21/x", "--user", "reader"), "http://host"),
        (("--url", "http://192.168.10.21"), "go together"),
        (("--url", "http://192.168.10.21", "--user", "reader", "--kind", "other"), "there are: hikvision"),
        (("--kind", "hikvision"), "belong to"),
        ((), "or --on"),
        (("--on", "--remove"), "or --on"),
    ],
)
def test_what_cannot_be_is_said_in_words(ground: Foundation, words: tuple[str, ...], said: str) -> None:  # noqa: F811
    result = typed(ground, "device", "stream", "hik-1", *words)
    assert result.exit_code == 1
    assert said in result.output
    assert stream(ground) is None


def test_empty_password_and_wrong_certificate_are_refused(ground: Foundation, tmp_path: Path) -> None:  # noqa: F811
    assert "printed" in typed(ground, *READ, password="").output
    file = tmp_path / "camera.pem"
    file.write_text("no certificate")
    assert "PEM" in typed(ground, *READ, "--certificate", str(file)).output
    assert stream(ground) is None


def test_show_and_doctor_say_how_it_goes(ground: Foundation, run: Run) -> None:  # noqa: F811
    typed(ground, *READ)
    with ground.database.write() as session:
        at = ground.clock.now()
        session.execute(update(DeviceStream).values(error="auth_failed", error_at=at))
    told = json.loads(run("device", "show", "hik-1", "--json").stdout)["stream"]
    assert (told["error"], told["url"]) == ("auth_failed", "http://192.168.10.21")
    assert "north-gate-7" not in json.dumps(told)
    assert "auth_failed" in run("device", "list").stdout
    (found,) = [one for one in examine(ground.settings) if one.check == "stream of hik-1"]
    assert not found.ok
    assert "ringward device stream hik-1" in found.advice
    with ground.database.write() as session:
        session.execute(update(DeviceStream).values(error=None, connected_since=at))
    (found,) = [one for one in examine(ground.settings) if "stream" in one.check]
    assert (found.ok, found.seen) == (True, "1 of 1 without an error")
    assert "stream connected" in run("device", "list").stdout
