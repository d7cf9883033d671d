"""A tracer that keeps what it was told."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from storage import tracing
from storage.tracing import Place


@dataclass
class Kept:
    name: str
    place: Place
    parent: Place | None
    attributes: dict[str, Any]
    ended: bool = False
    failed: str | None = None

    def note(self, **attributes: Any) -> None:
        self.attributes |= attributes

    def end(self, *, failed: str | None = None) -> None:
        assert not self.ended
        self.ended, self.failed = True, failed


@dataclass
class Keeping:
    ratio: float = 1.0
    spans: list[Kept] = field(default_factory=list)

    def begin(
        self,
        name: str,
        place: Place,
        parent: Place | None,
        kind: str,
        at: dt.datetime | None,
        attributes: dict[str, Any],
    ) -> Kept:
        self.spans.append(Kept(name, place, parent, dict(attributes)))
        return self.spans[-1]

    def one(self, name: str) -> Kept:
        (found,) = (span for span in self.spans if span.name == name)
        return found


@contextmanager
def kept() -> Iterator[Keeping]:
    """While it lasts spans of this process are kept."""
    tracer = Keeping()
    tracing.install(tracer)
    try:
        yield tracer
    finally:
        tracing.install(None)
