"""Files that their own tools read: the firewall's and the clock's."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ringward.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.mark.parametrize(
    "command",
    [
        ["nft", "--check", "--file", str(DEPLOY / "nftables" / "ringward.nft")],
        ["chronyd", "-p", "-f", str(DEPLOY / "chrony" / "ringward.conf")],
    ],
    ids=["nft", "chronyd"],
)
def test_its_tool_reads_it(command: list[str]) -> None:
    tool = shutil.which(command[0], path="/usr/sbin:/sbin:/usr/bin")
    assert tool, f"{command[0]} is not installed: deploy/test-tools.sh"
    done = subprocess.run([tool, *command[1:]], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_firewall_opens_no_port_in_the_clear_to_devices_and_people() -> None:
    text = (DEPLOY / "nftables" / "ringward.nft").read_text()
    clear = {
        Settings.model_fields[name].default for name in ("mqtt_port", "http_port", "push_port", "nats_port")
    }
    for line in text.splitlines():
        if "device_net" in line or "people_net" in line:
            assert not {str(port) for port in clear} & set(line.replace(",", " ").split()), line
