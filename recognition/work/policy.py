"""What a deployment wants of recognition; every value comes from the settings."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RecognitionPolicy:
    """``gate_fpir`` and ``door_fpir`` are false names a stranger's passage may have, 0…1: at the
    compound's entrances and common areas, and in the building ring.

    ``settle`` is how long an open decision on a track waits for more pictures, ``track_gap`` how
    far apart pictures of one lane may be to be one passage, ``amend_within`` how long after it
    was told a decision may still be amended. ``deadline`` is how long after the picture somebody
    still stands at the gate, where the camera's view says nothing else. A picture that has
    waited for ``ttl`` is not looked at any more. ``low_score`` is a terminal's own score, 0…1,
    below which our own engines look as well. ``stranger_token`` is how long an unknown face is
    told again, in memory alone; no time is never (see `recognition.work.strangers`).
    """

    gate_fpir: float = 1e-3
    door_fpir: float = 1e-4
    smallest_face_px: int | None = None
    settle: dt.timedelta = dt.timedelta(milliseconds=400)
    track_gap: dt.timedelta = dt.timedelta(seconds=3)
    amend_within: dt.timedelta = dt.timedelta(seconds=10)
    deadline: dt.timedelta = dt.timedelta(seconds=3)
    ttl: dt.timedelta = dt.timedelta(seconds=120)
    low_score: float = 0.8
    stranger_token: dt.timedelta = dt.timedelta()

    def fpir(self, ring: str) -> float:
        """The false names that a passage in this ring may have."""
        return self.door_fpir if ring == "building" else self.gate_fpir
