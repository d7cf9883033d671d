"""A broker that restarts with a queue, and what a Mosquitto in its place keeps."""

import pytest

from tests.chaos.conftest import Make
from tests.support.brokers import Mosquitto
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

# More than the thousand that Mosquitto keeps unless it is told otherwise.
QUEUED = 3000


def test_broker_that_is_killed_with_a_long_queue_delivers_all_of_it(make: Make) -> None:
    site = make()
    site.start(with_rest=False)
    wait_until(site.listening, "ingest listens", 60)
    site.ingest.kill()
    site.devices("native", QUEUED // 3)
    wait_until(lambda: site.answered("puback") == QUEUED, "the broker has all", 60)
    site.broker.kill()
    site.broker.start()
    assert site.stored() == 0
    site.ingest.start()
    verdict = site.settle()
    assert verdict.clean, verdict
    assert verdict.stored == verdict.acknowledged == QUEUED


def test_burst_of_pictures_that_waited_comes_over_one_connection(make: Make) -> None:
    site = make()
    site.start(with_rest=False)
    wait_until(site.listening, "ingest listens", 60)
    site.ingest.stop()
    site.devices("native", 8, picture_every=1, picture_bytes=3_000_000)
    wait_until(lambda: site.answered("puback") == 24, "the broker has 96 MB", 60)
    site.ingest.start()
    verdict = site.settle()
    assert verdict.clean, verdict
    assert verdict.stored == 24
    assert site.unreadable() == []
    assert "ingest.disconnected" not in site.ingest.said()


@pytest.mark.broker
def test_mosquitto_loses_nothing_over_kill_9_of_ingest_and_over_its_own_clean_restart(make: Make) -> None:
    # Killed while ingest is away it does lose what it has acknowledged: deploy/README.md says so.
    site = make(mosquitto=Mosquitto)
    site.start(with_rest=False)
    wait_until(site.listening, "ingest listens", 60)
    site.devices("native", 400, rate=200.0)
    wait_until(lambda: site.answered("answer") > 300, "devices are answered", 60)
    site.ingest.kill()
    wait_until(lambda: site.answered("puback") == 1200, "the broker has all", 60)
    site.devices("native", QUEUED // 3)
    wait_until(lambda: site.answered("puback") == 1200 + QUEUED, "the broker has all", 60)
    site.broker.stop()
    site.broker.start()
    site.ingest.start()
    verdict = site.settle()
    assert verdict.clean, verdict
    assert verdict.stored == verdict.acknowledged == 1200 + QUEUED
