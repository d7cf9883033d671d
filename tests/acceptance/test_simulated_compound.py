"""A simulated compound of every vendor against a whole Ringward, as processes: what was promised is kept."""

import json
import stat

import pytest
from typer.testing import CliRunner

from devices.simulator import faults as wrong
from devices.simulator.fleet import fleet
from devices.simulator.history import read
from devices.simulator.plan import plan
from devices.simulator.wires import WIRES
from ringward.cli import app
from ringward.fleet import ground as grounds
from ringward.fleet.enlisting import secrets_file
from ringward.fleet.outcome import drive

MINUTES = 10


@pytest.mark.parametrize("faults", ["none", "mild"])
def test_ten_minutes_of_every_vendor_lose_and_double_nothing(tmp_path, faults: str) -> None:
    members = fleet(40)
    assert {one.wire for one in members} == set(WIRES)
    # With a fault on every twentieth message rather than on every hundredth, so that there are some.
    level = wrong.LEVELS[faults]
    if faults == "mild":
        level = wrong.Faults(lost=0.05, twice=0.05, broken=0.05, cut=0.05, deaf=0.1, outage=0.1, reset=0.1)
    life = plan(members, seed=7, minutes=MINUTES, faults=level)
    path = tmp_path / "history.ndjson"
    with grounds.ground(members) as here:
        outcome = drive(here.foundation, here.target, life, speed=60, resend_s=1.0, path=path)
        assert here.core.restarts == 0
    verdict = outcome.verdict
    assert verdict.clean, verdict.differences
    assert verdict.happened > 200
    assert verdict.stored >= verdict.acknowledged
    assert {"puback", "answer", "http"} == set(outcome.waits)
    entries = list(read(path))
    speakers = {entry.device.rsplit("-", 1)[0] for entry in entries if entry.what == "told"}
    assert len(speakers) >= len(WIRES) - 3
    if faults == "mild":
        assert verdict.letters == verdict.broken > 0
        assert any(entry.what == "lost" for entry in entries)
        assert any(entry.what == "unheard" for entry in entries)


def test_registering_a_fleet_keeps_its_secrets_from_others(tmp_path) -> None:
    runner = CliRunner()
    for _ in range(2):
        done = runner.invoke(app, ["sim", "register", "--devices", "30", "--data-dir", str(tmp_path)])
        assert done.exit_code == 0, done.output
    path = secrets_file(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secrets = json.loads(path.read_text())
    assert len(secrets) == sum(one.gateway is None for one in fleet(30))
    assert not any(secret in done.output for secret in secrets.values())


def test_a_fleet_of_a_vendor_that_nobody_simulates_is_refused(tmp_path) -> None:
    done = CliRunner().invoke(app, ["sim", "run", "--vendor", "nobody", "--data-dir", str(tmp_path)])
    assert done.exit_code == 1
    assert "facesluice" in done.output
