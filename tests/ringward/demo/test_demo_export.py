"""The whole demo compound, exported and imported again: nothing of it is new, nothing is different."""

import random

import pytest

from registry.exports import Form, gather, write
from registry.imports import jobs
from registry.imports.columns import SheetKind
from registry.imports.models import ImportJob, ImportState
from ringward.demo import registration
from ringward.demo.plan import COMPOUND
from storage import Database, Vault
from tests.support.clock import VirtualClock


@pytest.mark.slow
def test_a_compound_comes_back_as_it_went(database: Database, vault: Vault) -> None:
    clock = VirtualClock()
    with database.write() as session:
        registration.write(session, registration.registry_rows(random.Random(7), clock.now()))
    with database.read() as session:
        made = write(gather(session, COMPOUND, reveal_ids=False), Form.XLSX, "mark")
    assert made.rows["people"] == 4737
    assert made.rows["dwellings"] == 2824
    for kind in SheetKind:
        asked = jobs.Order(COMPOUND, kind, "m", "property_manager", dry_run=True)
        job = jobs.begin(database, asked, made.content, clock.now())
        assert jobs.run(database, job, asked, made.content, clock) == ImportState.CHECKED
        with database.read() as session:
            done = session.get_one(ImportJob, job)
            assert (done.faults, done.counts["rows"]["warnings"]) == (0, 0)
            things = {name: counts for name, counts in done.counts.items() if name != "rows"}
            assert sum(counts["unchanged"] for counts in things.values()) > 1000
            assert not any(counts["created"] or counts["updated"] for counts in things.values())
