"""The compound as far as a rules file may name it: zones with their rings, devices, lanes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Ground:
    """What exists in one compound now."""

    # Zone id → ring.
    zones: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    devices: frozenset[str] = frozenset()
    lanes: frozenset[str] = frozenset()

    @property
    def places(self) -> frozenset[str]:
        """What a mute may be about."""
        return self.devices | self.lanes | frozenset(self.zones)
