"""A cable between this machine and another one, which is a network namespace: it can be pulled."""

import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Cable:
    """`here` and `there` are the addresses of its ends; `command` runs a program at the far one."""

    name: str
    here: str
    there: str

    @property
    def command(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def pull(self) -> None:
        """From now on nothing arrives, and nobody is told."""
        _ip("link", "set", f"{self.name}h", "down")

    def plug(self) -> None:
        _ip("link", "set", f"{self.name}h", "up")

    @classmethod
    @contextmanager
    def laid(cls, to: str = "") -> Iterator[Self]:
        """Needs root. `to`, two letters at the most, tells several cables of a process apart.

        The addresses are of the range for benchmarks (RFC 2544), which is routed nowhere.
        """
        name = f"rw{os.getpid()}{to}"
        _ip("netns", "add", name)
        try:
            near, far = f"{name}h", f"{name}t"
            _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
            part = f"198.{random.choice((18, 19))}.{random.randrange(256)}"
            _ip("addr", "add", f"{part}.1/30", "dev", near)
            _ip("link", "set", near, "up")
            for rest in (
                ("addr", "add", f"{part}.2/30", "dev", far),
                ("link", "set", far, "up"),
                ("link", "set", "lo", "up"),
            ):
                _ip("-n", name, *rest)
            yield cls(name, f"{part}.1", f"{part}.2")
        finally:
            # The pair goes with the namespace.
            _ip("netns", "del", name)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
