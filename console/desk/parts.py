"""Parts of a page that fifty consoles ask for in the same moment: rendered once, handed out to all.

A change reaches every open console at once, and each asks for the queue again. What is the same for all of
them (language, role) is made by the first and waited for by the others. Nothing is kept for longer than a
second, nor beyond the next change: a part is never older than what the asker has heard of.

Failure policy: *fail open*. Where the live feed is not up nothing is kept at all.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

# What counts on by itself in the browser is no change.
_AGE: Final = re.compile(r"(<time\b[^>]*data-since[^>]*>)[^<]*")
_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Part:
    """A rendered part; `tag` is the same for the same content, whatever the time."""

    html: str
    tag: str


@dataclass
class _Place:
    lock: threading.Lock = field(default_factory=threading.Lock)
    mark: Hashable = None
    part: Part | None = None


class Parts:
    """One a console process. Threads may ask at once."""

    def __init__(self) -> None:
        self._places: dict[Hashable, _Place] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, mark: Hashable | None, make: Callable[[], str]) -> Part:
        """The part of `key` as it is at `mark`; `make` is called where nobody has made it yet.

        `mark` None: it is made anew. An error of `make` is the asker's own; the next one tries again.
        """
        if mark is None:
            return _part(make())
        place = self._place(key)
        with place.lock:
            if place.part is None or place.mark != mark:
                place.part = _part(make())
                place.mark = mark
            return place.part

    def _place(self, key: Hashable) -> _Place:
        with self._lock:
            if key not in self._places and len(self._places) >= _KEPT:
                self._places.clear()
            return self._places.setdefault(key, _Place())


def _part(html: str) -> Part:
    content = _AGE.sub(r"\1", html)
    return Part(html, f'"{hashlib.blake2b(content.encode(), digest_size=12).hexdigest()}"')
