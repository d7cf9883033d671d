"""A cable that is pulled, a clock that is set: what is around ingest changes, nothing is lost."""

import pytest

from tests.chaos.cable import Cable
from tests.chaos.conftest import Make
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.mark.root
def test_nothing_is_lost_or_doubled_when_the_cable_to_ingest_is_pulled(make: Make) -> None:
    with Cable.laid() as cable:
        site = make(devices={"native": 3, "facesluice": 2, "haan": 2}, cable=cable)
        site.start(with_rest=False)
        wait_until(site.listening, "ingest listens", 60)
        site.devices("native", 400, rate=100.0)
        site.devices("facesluice", 40)
        site.devices("haan", 40)
        for answers in (300, 800):
            wait_until(lambda: site.answered() > answers, "devices are answered", 60)  # noqa: B023
            cable.pull()
            # The broker goes on taking in what nobody fetches.
            wait_until(lambda: site.answered("puback") - site.stored() > 100, "a queue grows", 60)
            cable.plug()
        verdict = site.settle()
        site.close()
    assert verdict.clean, verdict
    assert verdict.stored == verdict.acknowledged == verdict.happened == 1200 + 80 + 80


def test_nothing_is_lost_or_doubled_when_ingests_clock_is_set(make: Make) -> None:
    site = make(devices={"native": 3, "facesluice": 2, "haan": 2})
    site.start(with_rest=False)
    wait_until(site.listening, "ingest listens", 60)
    site.devices("native", 400, rate=100.0)
    site.devices("facesluice", 40)
    site.devices("haan", 40)
    for answers, hours in ((200, 1), (500, -1), (800, 0)):
        wait_until(lambda: site.answered() > answers, "devices are answered", 60)  # noqa: B023
        site.jump(hours)
    verdict = site.settle()
    assert verdict.clean, verdict
    assert verdict.stored == verdict.acknowledged == verdict.happened == 1200 + 80 + 80
    assert len(site.hours_of_receipt()) == 3
