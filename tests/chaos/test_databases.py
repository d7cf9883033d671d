"""A database that is killed, locked, or out of disk: nobody is told what is not stored."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.conftest import Make
from tests.chaos.disk import Disk
from tests.chaos.locking import locked
from tests.support.postgres import Postgres
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server that may be killed. Outside pytest's own folder, as for the one that all share."""
    with tempfile.TemporaryDirectory(prefix="ringward-pg-") as folder:
        server = Postgres(Path(folder))
        yield server
        server.stop()


def test_nothing_acknowledged_is_lost_or_doubled_over_kill_9_of_postgresql(
    make: Make, own_postgres: Postgres
) -> None:
    site = make(devices={"native": 3, "facesluice": 2, "haan": 2}, database_url=own_postgres.migrated())
    site.start()
    wait_until(site.listening, "ingest listens", 60)
    site.devices("native", 400, rate=100.0, picture_every=20)
    site.devices("facesluice", 40)
    site.devices("haan", 40)
    for answers in (300, 700):
        wait_until(lambda: site.answered() > answers, "devices are answered", 60)  # noqa: B023
        failed = site.ingest.said().count("ingest.commit_failed")
        own_postgres.kill()
        # Its absence is noticed before it is back.
        wait_until(
            lambda: site.ingest.said().count("ingest.commit_failed") > failed,  # noqa: B023
            "a commit fails",
            60,
        )
        own_postgres.revive()
    verdict = site.settle()
    assert verdict.clean, verdict
    assert verdict.stored == verdict.acknowledged == verdict.happened == 1200 + 80 + 80
    assert site.announced_amiss() == {}


@pytest.mark.root
def test_nothing_is_acknowledged_on_a_full_disk_and_nothing_lost_when_it_is_freed(
    make: Make, tmp_path: Path
) -> None:
    with Disk.mounted(tmp_path / "disk", 64) as disk:
        site = make(devices={"native": 3, "facesluice": 2, "haan": 2}, data=disk.folder / "data")
        site.start(with_rest=False)
        wait_until(site.listening, "ingest listens", 60)
        site.devices("native", 20, picture_every=1)
        wait_until(lambda: site.stored() == 60, "it stores while there is room", 60)
        disk.fill()
        site.devices("native", 300, picture_every=1)
        site.devices("facesluice", 20)
        site.devices("haan", 20)
        wait_until(lambda: "ingest.commit_failed" in site.ingest.said(), "a commit fails", 60)
        wait_until(lambda: "push.no_room" in site.ingest.said(), "a push is refused", 60)
        assert site.answered("http") == 0
        # Whoever was told meanwhile that it is stored was told the truth.
        assert site.verdict("answer").lost == 0
        assert site.stored() < 60 + 900
        disk.free()
        verdict = site.settle()
        assert verdict.clean, verdict
        assert verdict.stored == verdict.acknowledged == verdict.happened == 60 + 900 + 40 + 40
        assert site.unreadable() == []
        site.close()


def test_nothing_is_acknowledged_while_the_database_is_locked(make: Make) -> None:
    site = make(devices={"native": 3, "facesluice": 2, "haan": 2})
    site.start(with_rest=False)
    wait_until(site.listening, "ingest listens", 60)
    with locked(site.folder / "data" / "ringward.db"):
        since = site.answered("answer")
        site.devices("native", 300, picture_every=20)
        site.devices("facesluice", 20)
        site.devices("haan", 20)
        # The broker and the spool take everything meanwhile.
        wait_until(lambda: site.answered("puback") == 900, "the broker has all", 60)
        wait_until(lambda: site.answered("http") == 40, "the spool has all", 60)
        assert site.answered("answer") == since == 0
        assert site.stored() == 0
    verdict = site.settle()
    assert verdict.clean, verdict
    assert verdict.stored == verdict.acknowledged == verdict.happened == 900 + 40 + 40
