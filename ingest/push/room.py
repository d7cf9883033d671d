"""How many bodies are in memory at once: so many bytes, and so many of one device."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class NoRoomError(Exception):
    """Too much came at once, for longer than anybody should wait."""


class Room:
    """For one event loop. Whoever waits longest is let in first."""

    def __init__(self, size: int, each: int, patience_s: float) -> None:
        self._free = size
        self._each = each
        self._patience_s = patience_s
        self._changed = asyncio.Condition()
        self._turn = asyncio.Lock()
        self._devices: dict[str, int] = {}

    @asynccontextmanager
    async def taken(self, device: str, size: int) -> AsyncIterator[None]:
        """Holds so many bytes of the room. Raises `NoRoomError`."""
        try:
            async with asyncio.timeout(self._patience_s):
                await self._enter(device, size)
        except TimeoutError:
            raise NoRoomError from None
        try:
            yield
        finally:
            self._free += size
            self._leave(device)
            async with self._changed:
                self._changed.notify_all()

    async def _enter(self, device: str, size: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._devices.get(device, 0) < self._each)
            self._devices[device] = self._devices.get(device, 0) + 1
        try:
            # A small body must not overtake a large one for ever.
            async with self._turn, self._changed:
                await self._changed.wait_for(lambda: self._free >= size)
                self._free -= size
        except BaseException:
            self._leave(device)
            raise

    def _leave(self, device: str) -> None:
        self._devices[device] -= 1
        if not self._devices[device]:
            del self._devices[device]
