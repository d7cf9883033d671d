"""Work done by several threads at once, and what went wrong in any of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier


def at_once(count: int, work: Callable[[int], object]) -> list[BaseException]:
    """Runs `work(0)` … `work(count - 1)`, all started in the same moment; returns what they raised."""
    gate = Barrier(count)

    def run(number: int) -> None:
        gate.wait()
        work(number)

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(run, number) for number in range(count)]
        return [error for future in futures if (error := future.exception()) is not None]
