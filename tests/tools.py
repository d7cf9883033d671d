"""What some tests need beside Python, tools and rights: left out by name where missing, never in CI."""

import os
import shutil

import pytest

_TOOLS = {
    "browser": ("chromium", "apt-get install chromium"),
    "broker": ("mosquitto", "apt-get install mosquitto mosquitto-clients"),
}


def find(tool: str) -> str | None:
    """The tool's path; system daemons may lie outside a user's PATH."""
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/usr/local/sbin")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves out what this machine cannot run; in CI everything runs, or fails."""
    if os.environ.get("CI"):
        return
    for marker, (tool, hint) in _TOOLS.items():
        if find(tool) is None:
            for item in items:
                if item.get_closest_marker(marker):
                    item.add_marker(pytest.mark.skip(reason=f"{tool} is not installed ({hint})"))
    if os.geteuid() != 0:
        for item in items:
            if item.get_closest_marker("root"):
                item.add_marker(pytest.mark.skip(reason="only root may mount and make network namespaces"))
