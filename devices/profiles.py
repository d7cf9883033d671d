"""Named profiles: what a device of a make usually is (`profiles.toml`)."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from devices.adapters import ADAPTERS
from devices.models import DeviceKind

_FILE: Final = Path(__file__).with_name("profiles.toml")
# Where neither profile nor adapter says how often a device gives signs of life.
DEFAULT_HEARTBEAT_S: Final = 60


@dataclass(frozen=True, slots=True)
class Profile:
    """Defaults for a device. `sees`: there is a camera in it, whatever its kind."""

    name: str
    title: str
    kind: DeviceKind
    adapter: str
    heartbeat_s: int
    vendor: str | None = None
    sees: bool = False


@cache
def profiles() -> dict[str, Profile]:
    """All profiles by name. Raises `KeyError` where the file names no adapter of ours."""
    with _FILE.open("rb") as file:
        tables = tomllib.load(file)
    return {
        name: Profile(
            name=name,
            title=table["title"],
            kind=DeviceKind(table["kind"]),
            adapter=ADAPTERS[table["adapter"]].name,
            heartbeat_s=table.get("heartbeat_s") or heartbeat_of(table["adapter"]),
            vendor=table.get("vendor"),
            sees=table.get("sees", False),
        )
        for name, table in tables.items()
    }


def heartbeat_of(adapter: str) -> int:
    """Seconds between signs of life of this adapter's devices, by their vendor's default."""
    return ADAPTERS[adapter].heartbeat_s or DEFAULT_HEARTBEAT_S
