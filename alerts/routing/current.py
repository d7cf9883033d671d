"""The tree that this process routes by: the compound's own file, else the one that Ringward comes with.

The file is read again when it has changed. One with errors is refused as a whole, and what was routed by
before stays in force: *fail open*, with a word in the log and a metric.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import Gauge

from alerts.routing.proving import prove
from alerts.routing.reading import default_tree, load
from alerts.routing.tree import Tree

log = structlog.get_logger(__name__)

REFUSED: Final = Gauge(
    "ringward_routing_file_refused",
    "1 while the routing file has errors and another tree is in force.",
    registry=None,
)
"""Of the process; whoever serves metrics registers it."""

_LOOK_S: Final = 1.0


class Current:
    """A file's tree. Safe to call from several threads."""

    def __init__(self, path: Path | None = None, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._tree: Tree | None = None
        self._looked: float | None = None
        self._stamp: tuple[int, int] | None = None
        self.refused = False

    def tree(self) -> Tree:
        """What is in force now; looks at the file at most once a second."""
        if self._path is None:
            return default_tree()
        with self._lock:
            now = self._elapsed()
            if self._looked is None or now - self._looked >= _LOOK_S:
                self._looked = now
                self._look(self._path)
            return self._tree or default_tree()

    def _look(self, path: Path) -> None:
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp == self._stamp:
                return
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self._refuse(type(error).__name__, 0)
            return
        self._stamp = stamp
        reading = load(text)
        errors = [*reading.errors, *(one for one in prove(reading) if one.error)]
        if errors:
            self._refuse(errors[0].code, errors[0].line)
            return
        self._tree = reading.tree
        self.refused = False
        REFUSED.set(0)
        log.info("routing.file_read", version=reading.tree.version)

    def _refuse(self, code: str, line: int) -> None:
        if not self.refused:
            log.error("routing.file_refused", code=code, line=line)
        self.refused = True
        REFUSED.set(1)


_current = Current()


def use(path: Path | None) -> None:
    """From now on this process routes by a file; None: by the tree that Ringward comes with."""
    global _current  # noqa: PLW0603 - one tree a process, as one ring of keys
    _current = Current(path)
    REFUSED.set(0)


def in_force() -> Tree:
    """The tree of this process."""
    return _current.tree()


def is_refused() -> bool:
    """Whether the file has errors and another tree is in force."""
    return _current.refused
