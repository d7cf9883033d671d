"""Follows docs/deploy.md word for word: `python -m tests.walk gatehouse house five`; needs root.

Each machine of the page is a network namespace with folders of its own laid over /etc, /root, /run and /var/lib,
on one bridge. There is no systemd in it: `tests/walking` stands for systemctl, apt-get and scp. The wheelhouse is given
with --wheelhouse, and installed once.
"""

import argparse
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "deploy.md"
SHIMS = Path(__file__).with_name("walking")
ADDRESSES = {
    "gatehouse": "10.20.0.5",
    "house": "10.20.0.6",
    "ringward-1": "10.20.0.11",
    "ringward-2": "10.20.0.12",
    "ringward-3": "10.20.0.13",
    "database-1": "10.20.0.21",
    "database-2": "10.20.0.22",
}
CHAPTERS = {
    "gatehouse": "One machine",
    "house": "One machine with Mosquitto and PostgreSQL",
    "five": "Five machines",
}
# What a machine has of its own. The first ones begin as this machine's.
COPIED = ("etc", "usr/local/sbin", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d")
EMPTY = (
    "root", "run", "opt", "var/log", "var/backups", "var/lib/ringward", "var/lib/nats", "var/lib/postgresql",
    "var/lib/mosquitto", "var/lib/nginx", "var/lib/chrony",
)  # fmt: skip
BRIDGE = "rw-walk"
FENCE = re.compile(r"^On \*\*([\w, -]+)\*\*:$|^## ([^\n]+)$|^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALL = re.compile(r"^sh /root/wheelhouse/install.sh.*\n", re.MULTILINE)
DEFINES = re.compile(r"^(\w+\(\) \{.*\}|\w+=.*)$", re.MULTILINE)


def run(*words: object, check: bool = True) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(word) for word in words], check=check, capture_output=True, text=True)


class Machine:
    """A network namespace with folders of its own; lives as long as its first process does."""

    def __init__(self, folder: Path, name: str, number: int) -> None:
        self.name = name
        self.folder = folder / name
        self._space = f"rw-{number}"
        self.defined: list[str] = []
        for part in COPIED:
            target = self.folder / part
            target.parent.mkdir(parents=True, exist_ok=True)
            run("cp", "-a", f"/{part}", target)
        for part in EMPTY:
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for part, owner in (("postgresql", "postgres"), ("mosquitto", "mosquitto"), ("chrony", "_chrony")):
            run("chown", owner, self.folder / "var/lib" / part, check=False)
        (self.folder / "var/log/postgresql").mkdir()
        run("chown", "postgres", self.folder / "var/log/postgresql")
        for part in ("nginx", "mosquitto", "chrony"):
            (self.folder / "var/log" / part).mkdir()
        run("chown", "mosquitto", self.folder / "var/log/mosquitto")
        (self.folder / "run/lock").mkdir()
        # The package makes a cluster of its own on each machine.
        shutil.rmtree(self.folder / "etc/postgresql", ignore_errors=True)
        (self.folder / "etc/postgresql").mkdir()
        (self.folder / "etc/hosts").write_text("127.0.0.1 localhost\n")
        (self.folder / "etc/hostname").write_text(f"{name}\n")
        run("ip", "netns", "add", self._space)
        cable = f"rwv{number}"
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", self._space)
        run("ip", "link", "set", cable, "master", BRIDGE, "up")
        inside = ("ip", "-n", self._space)
        run(*inside, "addr", "add", f"{ADDRESSES[name]}/24", "dev", "eth0")
        run(*inside, "link", "set", "eth0", "up")
        run(*inside, "link", "set", "lo", "up")
        mounts = [
            f"mkdir -p /{part} && mount --bind {self.folder}/{part} /{part}" for part in (*COPIED, *EMPTY)
        ]
        lines = [*mounts, f"hostname {name}", f"echo $$ > {self.folder}/pid", "exec sleep infinity"]
        self._first = subprocess.Popen(
            [
                "nsenter",
                f"--net=/run/netns/{self._space}",
                "unshare",
                "--mount",
                "--uts",
                "sh",
                "-ec",
                "\n".join(lines),
            ]
        )
        while not (self.folder / "pid").exists():
            assert self._first.poll() is None, f"{name} did not start"
            time.sleep(0.05)
        self.pid = int((self.folder / "pid").read_text())

    def say(self, script: str) -> int:
        """Runs a block as a person's shell would, with what earlier blocks defined; what it prints is shown."""
        whole = "\n".join(
            [
                "set -e",
                "cd $(cat /run/walk 2>/dev/null || echo /root)",
                *self.defined,
                script,
                "pwd > /run/walk",
            ]
        )
        done = subprocess.run(
            ["nsenter", "-t", str(self.pid), "-m", "-u", "-n", "bash", "-c", whole],
            check=False,
            cwd="/",
            stdin=subprocess.DEVNULL,
            timeout=580,
            env={
                "PATH": f"{SHIMS}:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
                "HOME": "/root",
                "LC_ALL": "C.UTF-8",
                "TERM": "dumb",
                "WALK": str(self.folder.parent),
            },
        )
        self.defined += DEFINES.findall(
            re.sub(r"<<'(\w+)'\n.*?^\1$", "", script, flags=re.MULTILINE | re.DOTALL)
        )
        return done.returncode

    def end(self) -> None:
        for pid in run("ip", "netns", "pids", self._space).stdout.split():
            run("kill", "-KILL", pid, check=False)
        self._first.wait(10)
        run("ip", "netns", "del", self._space)


def steps(chapter: str) -> list[tuple[tuple[str, ...], str]]:
    """The blocks of a chapter with the machines that they are for."""
    found: list[tuple[tuple[str, ...], str]] = []
    here, machines = "", ()
    for match in FENCE.finditer(PAGE.read_text()):
        if match[1]:
            machines = tuple(re.split(r",\s*", match[1]))
        elif match[2]:
            here = match[2]
        elif here == chapter:
            found.append((machines, match[3]))
    return found


def walk(chapter: str, folder: Path, wheelhouse: Path) -> None:
    blocks = steps(CHAPTERS[chapter])
    if chapter == "house":
        # "Follow one machine up to Time."
        first = steps(CHAPTERS["gatehouse"])
        end = next(number for number, (_, block) in enumerate(first) if "ringward.toml" in block)
        blocks = [*((("house",), block) for _, block in first[:end]), *blocks]
    names = list(dict.fromkeys(name for machines, _ in blocks for name in machines))
    shared = folder.parent / "opt"
    shared.mkdir(parents=True, exist_ok=True)
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "link", "set", BRIDGE, "up")
    machines = {}
    try:
        for number, name in enumerate(names):
            machines[name] = made = Machine(folder, name, number)
            made.say(
                f"mkdir -p /root/wheelhouse && mount --bind {wheelhouse} /root/wheelhouse && mount --bind {shared} /opt"
            )
        if "database-1" in machines:
            media = folder / "media"
            media.mkdir(mode=0o777)
            media.chmod(0o777)
            for name in names[:3]:
                machines[name].say(
                    f"mkdir -p /var/lib/ringward/media && mount --bind {media} /var/lib/ringward/media"
                )
        spent: dict[str, float] = defaultdict(float)
        for whom, block in blocks:
            for name in whom:
                there = (shared / "ringward" / "deploy").exists()
                said = INSTALL.sub("", block) if there else block
                print(f"\n── {name} ─────\n{said}", flush=True)
                began = time.monotonic()
                code = machines[name].say(said)
                spent[name] += time.monotonic() - began
                if code:
                    sys.exit(f"{name}: exit code {code}")
        print(f"\n{chapter}: {len(blocks)} blocks on {len(names)} machines, {sum(spent.values()):.0f} s")
    finally:
        for made in machines.values():
            made.end()
        run("ip", "link", "del", BRIDGE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chapters", nargs="+", choices=list(CHAPTERS))
    parser.add_argument("--wheelhouse", type=Path, default=ROOT / "build" / "wheelhouse")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/ringward-walk"))
    given = parser.parse_args()
    for chapter in given.chapters:
        walk(chapter, given.folder / chapter, given.wheelhouse.resolve())
        shutil.rmtree(given.folder / chapter)


if __name__ == "__main__":
    main()
