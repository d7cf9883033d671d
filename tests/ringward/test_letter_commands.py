"""`ringward deadletters` on a deployment."""

import base64
import datetime as dt
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from bus import deadletters
from bus.deadletters import DeadLetter
from ringward.foundation import Foundation
from tests.ringward.test_commands import Run, actions, alone, ground, run, several  # noqa: F401
from tests.support.clock import NOON

HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def letters(ground: Foundation) -> None:  # noqa: F811
    with ground.database.write() as session:
        rows = [
            deadletters.letter(
                "mqtt", "unknown_type", NOON, device_id="cam-1", adapter="native", raw=b"\xff1"
            ),
            deadletters.letter(
                "mqtt", "unknown_type", NOON + HOUR, device_id="cam-2", adapter="frigate", raw=b"2"
            ),
            deadletters.letter("broker", "broker_auth_failed", NOON, device_id="cam-1"),
        ]
        deadletters.record(session, rows)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ((), 3),
        (("--device", "cam-1"), 2),
        (("--device", "cam-1", "--reason", "unknown_type"), 1),
        (("--adapter", "frigate"), 1),
        (("--since", f"{NOON + HOUR:%Y-%m-%dT%H:%M:%S}"), 1),
        (("--until", f"{NOON:%Y-%m-%dT%H:%M:%S}"), 0),
    ],
)
def test_letters_are_listed_without_their_bytes(run: Run, options: tuple[str, ...], found: int) -> None:  # noqa: F811
    lines = [json.loads(line) for line in run("deadletters", "list", *options, "--json").stdout.splitlines()]
    assert len(lines) == found
    assert not any("raw" in line or "raw_base64" in line for line in lines)
    assert len(run("deadletters", "list", *options).stdout.splitlines()) == found


def test_export_has_the_bytes_and_is_audited(ground: Foundation, run: Run, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "letters.ndjson"
    run("deadletters", "export", str(out), "--reason", "unknown_type")
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [base64.b64decode(line["raw_base64"]) for line in lines] == [b"\xff1", b"2"]
    assert out.stat().st_mode & 0o777 == 0o600
    assert actions(ground) == ["dead_letter.exported"]
    assert "exists" in run("deadletters", "export", str(out), code=1).output


def test_replay_is_asked_for_what_ingest_can_read(ground: Foundation, run: Run) -> None:  # noqa: F811
    assert "say which" in run("deadletters", "replay", code=1).output
    said = json.loads(run("deadletters", "replay", "--device", "cam-1", "--json").stdout)
    assert said == {"asked": 1}
    with ground.database.read() as session:
        asked = session.scalars(select(DeadLetter).where(DeadLetter.replay_asked_at.is_not(None))).all()
        assert [(one.raw, one.replay_asked_by) for one in asked] == [(b"\xff1", "cli")]
        other = session.scalars(select(DeadLetter.id).where(DeadLetter.raw.is_not(None))).all()
    more = ["--id", other[0], "--id", other[1]]
    assert json.loads(run("deadletters", "replay", *more, "--json").stdout) == {"asked": 1}
    assert actions(ground) == ["dead_letter.replayed"] * 2
