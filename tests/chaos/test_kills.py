"""kill -9 of ingest, of the broker, of both, while devices of three kinds speak."""

import pytest

from tests.chaos.conftest import Make
from tests.chaos.site import Site
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


def kill_ingest(site: Site) -> None:
    site.ingest.kill()
    site.ingest.start()


def kill_broker(site: Site) -> None:
    site.broker.kill()
    site.broker.start()


def kill_both(site: Site) -> None:
    site.ingest.kill()
    site.broker.kill()
    site.broker.start()
    site.ingest.start()


def test_nothing_acknowledged_is_lost_or_doubled_over_kill_9(make: Make) -> None:
    site = make(devices={"native": 3, "facesluice": 2, "haan": 2})
    site.start()
    wait_until(site.listening, "ingest listens", 60)
    site.devices("facesluice", 60, rate=10.0)
    site.devices("haan", 60, rate=10.0)
    for kill in (kill_ingest, kill_broker, kill_both):
        stored = site.stored()
        site.devices("native", 150, rate=100.0, picture_every=20, poison_every=50)
        wait_until(lambda: site.stored() > stored + 100, "it stores what they say", 60)  # noqa: B023
        kill(site)
    verdict = site.settle()
    assert verdict.clean, verdict
    assert verdict.stored == verdict.acknowledged == verdict.happened == 3 * 450 + 120 + 120 - 27
    assert verdict.letters == verdict.broken == 27
    assert site.unreadable() == []
    assert site.announced_amiss() == {}
