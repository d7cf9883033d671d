"""A lock that goes round in the order of asking."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """One at a time, first come, first served.

    `threading.Lock` gives itself to whoever asks at the right moment: a writer in a tight loop
    would keep another thread out for as long as its flood lasts.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits until everybody who asked before is done."""
        with self._guard:
            mine: threading.Lock | None = None
            if self._taken:
                mine = threading.Lock()
                mine.acquire()
                self._waiting.append(mine)
            self._taken = True
        if mine is not None:
            # Released by whoever is before us, who leaves the turn taken.
            mine.acquire()
        try:
            yield
        finally:
            with self._guard:
                if self._waiting:
                    self._waiting.popleft().release()
                else:
                    self._taken = False
