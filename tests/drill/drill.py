"""The steps of the drill, each timed, each with what was seen."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.drill.house import OURS, House
from tests.support.waiting import wait_until

WAIT_S = 180.0


@dataclass
class Report:
    """What was done, how long each step took in seconds, and what was seen."""

    kind: str
    steps: list[tuple[str, float, str]] = field(default_factory=list)

    @contextmanager
    def step(self, what: str) -> Iterator[Callable[[str], None]]:
        seen = ""

        def saw(words: str) -> None:
            nonlocal seen
            seen = words

        started = time.monotonic()
        yield saw
        self.steps.append((what, time.monotonic() - started, seen))

    @property
    def back_in_s(self) -> float:
        """From the empty directory to the last check."""
        begun = [what for what, _, _ in self.steps].index("restore")
        return sum(took for _, took, _ in self.steps[begun:])


def run(
    kind: str,
    folder: Path,
    database_url: str | None = None,
    elsewhere: str | None = None,
    postgres_bin: Path | None = None,
    *,
    events: int = 40,
    forced: int = 3,
) -> Report:
    """Builds a site, burns it down, brings it back. Raises `AssertionError` where something is missing.

    With PostgreSQL the second URL is the empty database of the new machine.
    """
    report = Report(kind)
    house = House(folder, folder / "data", folder / "copies", database_url, postgres_bin)
    again = House(folder / "again", folder / "data", folder / "copies", elsewhere, postgres_bin)
    try:
        _live(house, report, events, forced)
        before = house.state()
        with report.step("kill -9 of everything, data directory deleted") as saw:
            house.burn()
            at_the_end = house.state()
            house.wipe()
            saw(f"{len(at_the_end['events'])} events were stored by then")
        with report.step("restore") as saw:
            result = again.restore()
            saw(f"state at {result['state_at']}, {result['rows']} rows, {result['pictures']} pictures")
        with report.step("look at what is there") as saw:
            after = again.state()
            for what in before:
                missing = before[what] - after[what]
                assert not missing, f"{len(missing)} {what} that were in the copy are missing"
            assert again.audit_holds(), "the audit log is broken"
            lost = len(at_the_end["events"] - after["events"])
            saw(
                f"{len(after['events'])} events, {len(after['incidents'])} incidents, "
                f"{len(after['pictures'])} pictures; audit log holds; {lost} events since the last look lost"
            )
        with report.step("start") as saw:
            again.up.start()
            wait_until(again.ready, "Ringward is ready", WAIT_S)
            saw("ready")
        with report.step("a device publishes and is answered") as saw:
            speaking = again.devices("after", 4, first=1_000_000)
            wait_until(lambda: again.answers("after") >= 4 * len(OURS), "devices are answered", WAIT_S)
            speaking.close()
            saw(f"{4 * len(OURS)} events")
        with report.step("the operator signs in") as saw:
            assert again.signs_in(), "the operator does not get in"
            saw("with the password of before")
    finally:
        house.close()
        again.close()
    return report


def _live(house: House, report: Report, events: int, forced: int) -> None:
    with report.step("a site, and who follows it") as saw:
        house.furnish()
        house.up.start()
        wait_until(house.ready, "Ringward is ready", WAIT_S)
        house.follow.start()
        wait_until(lambda: house.standing() is not None, f"it is followed: {house.follow.said()}", WAIT_S)
        saw("ready, the base is made")
    with report.step("events flow") as saw:
        speaking = house.devices("before", events)
        wait_until(lambda: house.answers("before") >= events * len(OURS), "devices are answered", WAIT_S)
        speaking.close()
        for number in range(forced):
            house.force_door(number)
        wait_until(lambda: house.state()["incidents"], "there are incidents", WAIT_S)
        wait_until(lambda: len(house.state()["events"]) >= events * len(OURS) + forced, "all is in", WAIT_S)
        saw(f"{events * len(OURS)} acknowledged events with pictures, {forced} doors forced")
    with report.step("the copy reaches them") as saw:
        # What is stored now was committed before a look that begins now.
        now = house.standing()
        assert now is not None
        begun = time.time()
        wait_until(
            lambda: (
                (s := house.standing()) is not None
                and s.reached is not None
                and s.reached.timestamp() > begun
            ),
            "the next look",
            WAIT_S,
        )
        saw("one look later")
