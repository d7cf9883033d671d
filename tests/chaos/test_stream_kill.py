"""kill -9 of ingest while it reads a camera: what was read is stored without being told again, and once."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices import presence, streams
from devices.models import Device, DeviceKind
from devices.near import networks
from devices.stages import By
from devices.streams import StreamGiven
from ringward.foundation import lay
from ringward.settings import Settings
from tests.chaos.test_spool_kill import Site, site  # noqa: F401
from tests.ingest.streams.test_cameras import invented, pictured, plate, told
from tests.support.cameras import PASSWORD, USER, Camera
from tests.support.compound import device
from tests.support.waiting import wait_until

NEAR = "127.0.0.0/8"


@pytest.fixture
def camera(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Camera]:  # noqa: F811
    monkeypatch.setenv("RINGWARD_STREAM_NETWORKS", NEAR)
    made = Camera()
    ground = lay(Settings(data_dir=site.folder))
    with ground.database.write() as session:
        session.add(device("hik-1", DeviceKind.PLATE_CAMERA, adapter="hikvision"))
        session.flush()
        now = ground.clock.now()
        presence.ensure_rows(session, now)
        given = StreamGiven(made.url, USER, PASSWORD)
        row = session.get_one(Device, "hik-1")
        streams.attach(session, row, given, networks(NEAR), now, By("cli", "administrator"))
    ground.database.close()
    yield made
    made.stop()


def records(site: Site) -> list[str]:  # noqa: F811
    return sorted(str(row[0]) for row in site.rows("SELECT record_id FROM events WHERE type LIKE 'plate.%'"))


def shown(site: Site) -> list[object]:  # noqa: F811
    """What the registry says of the stream."""
    return list(site.rows("SELECT connected_since IS NOT NULL, error FROM device_streams")[0])


@pytest.mark.slow
def test_what_was_read_is_stored_once_though_the_camera_tells_it_never_or_twice(
    site: Site,  # noqa: F811
    camera: Camera,
) -> None:
    site.start()
    camera.say(b"".join(told(plate(number)) + pictured() for number in range(10)))
    wait_until(lambda: records(site) == invented(*range(10)), "the first are stored", 60)
    wait_until(lambda: shown(site) == [1, None], "it is said to be connected")
    with sqlite3.connect(site.folder / "ringward.db", timeout=30, isolation_level=None) as locking:
        locking.execute("BEGIN IMMEDIATE")
        before = site.waiting()
        camera.say(b"".join(told(plate(number)) + pictured() for number in range(10, 40)))
        wait_until(lambda: site.waiting() >= before + 30, "what is read lies in the spool", 60)
        site.kill()
    locking.close()
    attached = camera.attached
    site.start()
    wait_until(lambda: records(site) == invented(*range(40)), "it is stored without the camera", 60)
    wait_until(lambda: camera.attached > attached, "the camera is called again", 60)
    camera.say(b"".join(told(plate(number)) + pictured() for number in range(41)))
    wait_until(lambda: records(site) == invented(*range(41)), "nothing is stored twice", 60)
    wait_until(lambda: site.waiting() == 0, "the spool is empty", 60)
    assert records(site) == invented(*range(41))
    assert site.rows("SELECT reason FROM dead_letters") == []
    assert PASSWORD not in (Path(site.folder) / "output.log").read_text()
