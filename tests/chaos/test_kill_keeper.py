"""kill -9 in the middle of retention: what went is proved, what is left goes next time."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

import storage.keys
import storage.vault
from privacy.models import DeletionProof, PassageCount
from privacy.retention.proofs import digest
from ringward.foundation import Foundation, lay
from ringward.settings import Settings
from storage import migrate
from storage.events import EventRow
from tests.support import keeping
from tests.support.compound import settle_in
from tests.support.keeping import DAY
from tests.support.waiting import wait_until

EVENTS = 30_000


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Foundation]:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RINGWARD_")]:
        monkeypatch.delenv(name)
    before = storage.keys._ring, storage.vault._vault
    made = lay(Settings(data_dir=tmp_path / "data"))
    migrate.upgrade(made.database)
    settle_in(made.database)
    yield made
    made.database.close()
    storage.keys._ring, storage.vault._vault = before


def keep(ground: Foundation) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ringward", "keep", "--json", "--data-dir", str(ground.settings.data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"RINGWARD_LOG_LEVEL": "error"},
    )


def left(ground: Foundation) -> int:
    with ground.database.read() as session:
        return session.scalar(select(func.count()).select_from(EventRow)) or 0


@pytest.mark.slow
def test_nothing_is_unproved_or_proved_twice_after_kill_9_of_the_keeper(ground: Foundation) -> None:
    start = ground.clock.now() - 300 * DAY
    rows = [keeping.event(start + n * (DAY / 1000)) for n in range(EVENTS)]
    with ground.database.write() as session:
        session.add_all(rows)
    in_order = [row.id for row in rows]
    for _ in range(2):
        before = left(ground)
        keeper = keep(ground)
        wait_until(lambda n=before: left(ground) < n, "some rows have gone", 60)
        keeper.kill()
        keeper.wait(30)
        assert left(ground) > 0, "it was killed in the middle"
    last = keep(ground)
    told, _ = last.communicate(timeout=100)
    assert last.returncode == 0
    assert json.loads(told)["failed"] == []
    assert left(ground) == 0
    with ground.database.read() as session:
        proofs = session.scalars(
            select(DeletionProof)
            .where(DeletionProof.retention_class == "passages")
            .order_by(DeletionProof.id)
        ).all()
        assert len({proof.run for proof in proofs}) == 3
        for proof in proofs:
            batch, in_order = in_order[: proof.count], in_order[proof.count :]
            assert proof.digest == digest(batch)
        assert in_order == []
        assert session.scalar(select(func.sum(PassageCount.count))) == EVENTS
