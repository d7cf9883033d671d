"""Image and compose file: read by what knows their formats; there is no daemon here that could run them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose
from typer.main import get_command

from ringward.cli import app
from ringward.settings import Settings

DOCKER = Path(__file__).parents[2] / "deploy" / "docker"


def test_dockerfile_has_nothing_that_its_reader_complains_of() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--no-color", DOCKER / "Dockerfile"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_image_runs_as_nobody_special_with_what_was_checked_by_its_hash() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    last = text.rsplit("FROM ", 1)[1]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    installs = [line for line in text.splitlines() if "pip install" in line or "--require-hashes" in line]
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)


@pytest.fixture
def compose() -> dict:
    text = (DOCKER / "compose.yaml").read_text()
    read = PyCompose.from_yaml(text)
    read.validate_networks()
    read.validate_secrets()
    read.validate_volumes()
    return yaml.safe_load(text)


def test_compose_file_closes_what_is_not_needed(compose: dict) -> None:
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert not service["user"].startswith("0")
        # In the clear: to this machine alone, until somebody says otherwise.
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_compose_file_names_settings_and_commands_that_exist(compose: dict) -> None:
    known = {f"RINGWARD_{name.upper()}" for name in Settings.model_fields}
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for service in compose["services"].values():
        assert set(service["environment"]) <= known
        assert service["command"][0] in commands
        assert {one["target"].upper() for one in service["secrets"]} <= known


def test_reader_of_compose_files_refuses_what_is_none() -> None:
    with pytest.raises(Exception, match="privilegd"):
        PyCompose.from_yaml("services:\n  a:\n    image: b\n    privilegd: true\n")
