"""Prometheus' own promtool, from Debian's package or unpacked beside it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNPACKED = Path(sys.prefix) / "share" / "ringward" / "tools" / "promtool"
"""Where deploy/test-tools.sh puts it."""


def find() -> str:
    """Skips where there is none; in CI there has to be one."""
    found = shutil.which("promtool") or str(UNPACKED)
    if not Path(found).exists():
        assert not os.environ.get("CI"), "promtool is missing: sh deploy/test-tools.sh"
        pytest.skip("promtool is missing: sh deploy/test-tools.sh")
    return found


def run(*arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find(), *map(str, arguments)], check=False, capture_output=True, text=True, timeout=120, input=text
    )
