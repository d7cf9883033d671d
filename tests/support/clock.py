"""Time that stands still until a test moves it."""

import datetime as dt

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)


class VirtualClock:
    """A `storage.Clock` that a test moves."""

    def __init__(self, at: dt.datetime = NOON) -> None:
        self.at = at

    def now(self) -> dt.datetime:
        return self.at

    def advance(self, seconds: float) -> dt.datetime:
        self.at += dt.timedelta(seconds=seconds)
        return self.at
