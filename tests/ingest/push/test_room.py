import asyncio
import contextlib

import pytest

from ingest.push.room import NoRoomError, Room
from tests.support.waiting import until


class Guests:
    """Tasks that hold a part of the room until they are told to leave."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.inside: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._leave: dict[str, asyncio.Event] = {}

    def come(self, name: str, size: int, device: str | None = None) -> None:
        self._leave[name] = asyncio.Event()

        async def stay() -> None:
            async with self.room.taken(device or name, size):
                self.inside.append(name)
                await self._leave[name].wait()
            self.inside.remove(name)

        self._tasks.append(asyncio.create_task(stay()))

    def leave(self, name: str) -> None:
        self._leave[name].set()

    async def are(self, *names: str) -> None:
        await until(lambda: self.inside == list(names), f"inside are {names}")

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def guests():
    made = Guests(Room(100, 2, 20))
    yield made
    await made.end()


async def test_room_holds_so_many_bytes_and_a_small_one_does_not_overtake(guests: Guests) -> None:
    guests.come("a", 60)
    await guests.are("a")
    guests.come("large", 80)
    guests.come("small", 10)
    guests.come("b", 0, device="a")
    await until(guests.room._turn.locked, "they wait")
    assert guests.inside == ["a"]
    guests.leave("a")
    await guests.are("large", "small", "b")


async def test_one_device_holds_up_nobody_else(guests: Guests) -> None:
    for number in range(4):
        guests.come(f"mad-{number}", 10, device="mad")
    await guests.are("mad-0", "mad-1")
    guests.come("calm", 10)
    await guests.are("mad-0", "mad-1", "calm")
    guests.leave("mad-0")
    await guests.are("mad-1", "calm", "mad-2")


async def test_nobody_waits_for_ever_and_who_gives_up_leaves_no_trace() -> None:
    room = Room(100, 2, 0.01)
    async with room.taken("a", 100):
        for _ in range(5):
            with pytest.raises(NoRoomError):
                async with room.taken("b", 1):
                    raise AssertionError
    async with room.taken("b", 100):
        assert room._devices == {"b": 1}
    assert (room._devices, room._free) == ({}, 100)


async def test_fault_inside_gives_the_room_back() -> None:
    room = Room(100, 1, 5)
    with pytest.raises(ZeroDivisionError):
        async with room.taken("a", 100):
            raise ZeroDivisionError
    async with room.taken("a", 100):
        assert room._free == 0
