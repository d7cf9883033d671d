"""What `make wheelhouse` gathers installs on a machine that has no network."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GATHER = ROOT / "deploy" / "offline" / "gather.sh"
# Small, and of no platform; all of them would be half a gigabyte.
ONE = "iniconfig"


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheelhouse")
    locked = (ROOT / "requirements" / "dev.txt").read_text()
    found = re.search(rf"^{ONE}==.*?(?=^\S)", locked, re.MULTILINE | re.DOTALL)
    assert found is not None
    (folder / "locked.txt").write_text(found[0])
    done = subprocess.run(
        [GATHER, sys.executable, folder / "locked.txt", folder / "house"],
        check=False, capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "house"


def install(wheelhouse: Path, target: Path) -> "subprocess.CompletedProcess[str]":
    # A network namespace of its own has no way out, not even to this machine.
    return subprocess.run(
        ["unshare", "--net", "sh", wheelhouse / "install.sh", target],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHON": sys.executable, "HOME": str(target)},
        check=False, capture_output=True, text=True, timeout=250,
    )  # fmt: skip


@pytest.mark.root
def test_folder_installs_without_a_network(wheelhouse: Path, tmp_path: Path) -> None:
    done = install(wheelhouse, tmp_path / "opt")
    assert done.returncode == 0, done.stderr
    python = tmp_path / "opt" / ".venv" / "bin" / "python"
    found = subprocess.run(
        [python, "-c", f"import {ONE}, importlib.metadata as m; print(m.version('ringward'))"],
        check=True, capture_output=True, text=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip
    assert found.stdout.strip() in done.stdout
    assert (tmp_path / "opt" / ".venv" / "bin" / "ringward").exists()
    assert (tmp_path / "opt" / "deploy" / "systemd" / "ringward@.service").exists()


@pytest.mark.root
def test_folder_that_was_changed_on_the_way_installs_nothing(wheelhouse: Path, tmp_path: Path) -> None:
    wheel = next(wheelhouse.glob(f"{ONE}-*.whl"))
    whole = wheel.read_bytes()
    wheel.write_bytes(whole + b"x")
    try:
        done = install(wheelhouse, tmp_path / "opt")
    finally:
        wheel.write_bytes(whole)
    assert done.returncode == 1
    assert not (tmp_path / "opt").exists()
