"""How many letters are under way at once, by kind of channel; and that slow ones stand in nobody's way."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alerts.notify.models import ChannelKind

FAST: Final[Mapping[ChannelKind, int]] = {
    ChannelKind.WEB_PUSH: 32,
    ChannelKind.PHONE_PAGE: 64,
    ChannelKind.CONSOLE: 64,
    ChannelKind.APPRISE: 8,
    ChannelKind.WEBHOOK: 8,
    ChannelKind.MQTT: 8,
    ChannelKind.TELEPHONE: 64,
}
KEPT_FOR_GRAVE: Final = 4
"""Of the fast places: a flood of notices leaves some for what is grave."""

SLOW: Final = 64


@dataclass(slots=True)
class _Lane:
    fast: int = 0
    slow: int = 0


class Place:
    """A place in a lane, given back once."""

    def __init__(self, lane: _Lane, *, slow: bool) -> None:
        self._lane = lane
        self._slow = slow
        self._held = True

    def slow_down(self) -> None:
        """It takes longer than others have patience for: it makes room for them."""
        if self._held and not self._slow and self._lane.slow < SLOW:
            self._lane.fast -= 1
            self._lane.slow += 1
            self._slow = True

    def leave(self) -> None:
        if not self._held:
            return
        self._held = False
        if self._slow:
            self._lane.slow -= 1
        else:
            self._lane.fast -= 1


class Lanes:
    """The places of one engine."""

    def __init__(self) -> None:
        self._lanes = {kind: _Lane() for kind in ChannelKind}

    def enter(self, kind: ChannelKind, *, slow: bool, grave: bool) -> Place | None:
        """A place; None where there is none at this moment. `slow`: it did not work the last time."""
        lane = self._lanes[kind]
        if slow:
            if lane.slow >= SLOW:
                return None
            lane.slow += 1
            return Place(lane, slow=True)
        if lane.fast >= FAST[kind] - (0 if grave else min(KEPT_FOR_GRAVE, FAST[kind] // 2)):
            return None
        lane.fast += 1
        return Place(lane, slow=False)
