"""The keeper watches the rules file and surveys rules once a day; neither stops anything else."""

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts.incidents.models import Incident
from alerts.rulebook.current import of
from alerts.rulebook.models import RuleProposal
from ringward.foundation import Foundation
from ringward.housekeeping import Housekeeping, HousekeepingMetrics
from storage import new_id
from tests.support.compound import COMPOUND

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
MORNING = dt.datetime(2026, 11, 25, 9, tzinfo=SHANGHAI)
TEXT = "version = 1\n[rules.R-E01]\nwindow_s = {}\n"


@pytest.fixture
def kept(ground: Foundation, tmp_path: Path) -> tuple[Foundation, Housekeeping]:
    ground.clock.at = MORNING.astimezone(dt.UTC)
    settings = ground.settings.model_copy(update={"rules_file": tmp_path / "rules.toml"})
    ground = replace(ground, settings=settings)
    return ground, Housekeeping(ground, HousekeepingMetrics(ground.metrics))


def metric(ground: Foundation, name: str, **labels: str) -> float | None:
    return ground.metrics.get_sample_value(f"ringward_rules_{name}", labels)


def window(ground: Foundation) -> float | None:
    with ground.database.read() as session:
        entry = of(session, COMPOUND, ground.clock.now()).entries.get("R-E01")
        return entry.values.get("window_s") if entry else None


def write(ground: Foundation, text: str, at: int) -> None:
    path = ground.settings.rules_file
    path.write_text(text)
    os.utime(path, ns=(at, at))


def test_file_is_taken_in_by_the_next_round(kept):
    ground, housekeeping = kept
    write(ground, TEXT.format(12), 1)
    housekeeping.round()
    assert (window(ground), metric(ground, "file_refused")) == (12, 0)
    write(ground, TEXT.format(99), 2)
    ground.clock.advance(5)
    housekeeping.round()
    assert (window(ground), metric(ground, "file_refused")) == (12, 1)
    write(ground, TEXT.format(14), 3)
    ground.clock.advance(5)
    housekeeping.round()
    assert (window(ground), metric(ground, "file_refused")) == (14, 0)


def test_bad_file_stops_nothing_else_of_the_round(kept):
    ground, housekeeping = kept
    write(ground, "\0", 1)
    housekeeping.round()
    assert (
        metric(ground, "file_refused"),
        ground.metrics.get_sample_value("ringward_privacy_audit_anchor_holds"),
    ) == (1, 1)


def judged(ground: Foundation, count: int) -> None:
    at = ground.clock.now() - dt.timedelta(hours=1)
    with ground.database.write() as session:
        for _ in range(count):
            session.add(
                Incident(
                    id=new_id(), compound=COMPOUND, rule="R-E01", kind="person.unknown_passed", ring="entrance",
                    zone="gate", device_id="cam-1", severity=4, state="false_alarm", version=1, happened_at=at,
                    raised_at=at, last_signal_at=at, reason="unknown_passed", reason_args={},
                    false_alarm_reason="courier",
                )
            )  # fmt: skip


def proposals(ground: Foundation) -> int:
    with ground.database.read() as session:
        return len(session.scalars(select(RuleProposal)).all())


def test_rules_are_surveyed_once_a_local_day_and_after_a_start(kept):
    ground, housekeeping = kept
    judged(ground, 19)
    housekeeping.keep()
    assert (proposals(ground), metric(ground, "judged_alarms", rule="R-E01", device="cam-1")) == (0, 19)
    judged(ground, 6)
    ground.clock.advance(3600)
    housekeeping.keep()
    assert proposals(ground) == 0
    ground.clock.advance(15 * 3600)
    housekeeping.keep()
    assert (proposals(ground), metric(ground, "proposals_open")) == (1, 1)
    assert metric(ground, "false_alarm_share", rule="R-E01", device="cam-1") == 1.0
    ground.clock.advance(24 * 3600)
    housekeeping.keep()
    assert proposals(ground) == 1
