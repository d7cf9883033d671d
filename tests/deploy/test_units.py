"""The units of systemd: they are valid, start what exists, and leave little open."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ringward import secretfiles
from ringward.process import ORDER
from ringward.settings import Settings

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
NAMES = [path.name for path in SERVICES]
# Of ten; 2 is where systemd itself says OK.
MOST_EXPOSED = 2.0


def settings_of(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units with this Python's folder in the place of /opt/ringward."""
    assert shutil.which("systemd-analyze"), "systemd is not installed: deploy/test-tools.sh"
    here = str(Path(sys.executable).parent)
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/opt/ringward/.venv/bin", here)
        (tmp_path / unit.name).write_text(text)
    return tmp_path


def test_systemd_finds_nothing_wrong_with_them(installed: Path) -> None:
    units = sorted(path for path in installed.iterdir() if path.suffix in {".service", ".timer", ".target"})
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_little_is_left_open(installed: Path, name: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold",
         f"{MOST_EXPOSED * 10:.0f}", installed / name],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.splitlines()[-1:]


@pytest.mark.parametrize("unit", SERVICES, ids=NAMES)
def test_service_runs_as_somebody_and_reads_secrets_from_files(unit: Path) -> None:
    sysusers = (UNITS / "ringward.sysusers").read_text()
    (user,) = settings_of(unit, "User")
    assert re.search(rf"^u {user} ", sysusers, re.MULTILINE)
    if user == "ringward":
        assert settings_of(unit, "LoadCredential") == ["ringward:/etc/ringward/secrets"]


def test_each_role_can_be_an_instance_of_the_template() -> None:
    (start,) = settings_of(UNITS / "ringward@.service", "ExecStart")
    assert start.endswith("ringward run %i")
    # An instance's name may hold no character that a file's may not.
    assert all(re.fullmatch(r"[a-z]+", role) for role in ORDER)


def test_credentials_of_systemd_are_named_as_settings_are_read(tmp_path: Path, monkeypatch) -> None:
    # LoadCredential=ringward:FOLDER names each file ringward_FILE.
    (tmp_path / "ringward_database_url").write_text("postgresql+psycopg://db/ringward")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert secretfiles.secret_folders() == [tmp_path]
    assert Settings().database == "postgresql+psycopg://db/ringward"


def test_users_and_folders_are_what_systemd_reads(tmp_path: Path) -> None:
    for tool, file in (("systemd-sysusers", "ringward.sysusers"), ("systemd-tmpfiles", "ringward.tmpfiles")):
        assert shutil.which(tool), "systemd is not installed: deploy/test-tools.sh"
        words = ["--dry-run"] if tool == "systemd-sysusers" else ["--create"]
        (tmp_path / "etc").mkdir(exist_ok=True)
        done = subprocess.run(
            [tool, *words, f"--root={tmp_path}", UNITS / file],
            check=False, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        if tool == "systemd-sysusers":
            assert done.returncode == 0, done.stderr
        # A root that is empty knows no users; anything else that is wrong has a line of its own.
        assert not [line for line in done.stderr.splitlines() if "resolve" not in line and "Unknown" in line]
