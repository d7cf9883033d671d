"""Unknown faces told again, for minutes and in memory alone (L-19). Off unless somebody wants it.

With it a rule can say "the same stranger at three doors". The face lies in this process's
memory until its time is over, counted from when it was first seen, and nowhere else: what
travels, and lies in the outbox for a moment, is a random number that means nothing to anybody
else and is gone with the process. Another worker gives another number.
"""

import datetime as dt
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from recognition.engines import Vector
from recognition.work.face_path import distance
from storage import Clock

LONGEST: Final = dt.timedelta(minutes=60)
MOST: Final = 1000
"""Strangers that are remembered at once, over all compounds; beyond it the first one seen is forgotten."""


@dataclass(slots=True)
class _Stranger:
    compound: str
    engine: str
    face: Vector
    until: dt.datetime


class Strangers:
    """Remembers unknown faces for ``life``, at most an hour; no time at all remembers nobody."""

    def __init__(self, clock: Clock, life: dt.timedelta) -> None:
        if not dt.timedelta() <= life <= LONGEST:
            raise ValueError("strangers are remembered for an hour at most")
        self._clock = clock
        self._life = life
        self._known: OrderedDict[str, _Stranger] = OrderedDict()
        # Whom a sighting is about, until it is told: with it what waits for more pictures has its token.
        self._seen: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def wanted(self) -> bool:
        """Whether anybody is remembered at all."""
        return self._life > dt.timedelta()

    def __len__(self) -> int:
        """Strangers who are remembered now, over all compounds."""
        self.forget_old()
        return len(self._known)

    def see(self, sighting_id: str, compound: str, engine: str, face: Vector, near: float) -> None:
        """Notes whom an unknown face is: somebody seen before within ``near``, or somebody new."""
        if not self.wanted:
            return
        self.forget_old()
        with self._lock:
            measured = [
                (distance(face, known.face), token)
                for token, known in self._known.items()
                if (known.compound, known.engine) == (compound, engine)
            ]
            nearest, token = min(measured, default=(near, ""))
            if not token or nearest > near:
                token = secrets.token_hex(8)
                self._known[token] = _Stranger(compound, engine, face, self._clock.now() + self._life)
            self._seen[sighting_id] = token
            for one in (self._known, self._seen):
                while len(one) > MOST:
                    one.popitem(last=False)

    def token(self, sighting_id: str) -> str | None:
        """The number of whoever a sighting is about; None where nobody is remembered."""
        if not self.wanted:
            return None
        self.forget_old()
        with self._lock:
            return self._seen.get(sighting_id)

    def forget_old(self) -> None:
        """Forgets everybody whose time is over."""
        now = self._clock.now()
        with self._lock:
            for token in [token for token, known in self._known.items() if known.until <= now]:
                del self._known[token]
            for sighting in [one for one, token in self._seen.items() if token not in self._known]:
                del self._seen[sighting]

    def clear(self) -> None:
        """Forgets everybody."""
        with self._lock:
            self._known.clear()
            self._seen.clear()
