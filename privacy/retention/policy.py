"""How long each class of data is kept: the shortest time that its purpose and the law allow."""

import datetime as dt
from dataclasses import dataclass, fields
from typing import Final

RECORDS_MIN_DAYS: Final = 30
"""Video and alarm records are kept at least this long (保安服务管理条例 art. 25)."""

ACCOUNTS_MIN_DAYS: Final = 3 * 365
"""Impact assessments and the records beside them (PIPL art. 56)."""


class UnlawfulRetentionError(ValueError):
    """A class would be kept shorter than the law asks; `field` is which, `least` the days."""

    def __init__(self, field: str, least: int) -> None:
        super().__init__(f"{field} must be at least {least} days")
        self.field = field
        self.least = least


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Days after which a class of data goes. The defaults are those of the domain's table."""

    pictures: int = 30
    unknown_faces: int = 30
    passages: int = 180
    incidents: int = 3 * 365
    # After the entry's end, with what was recorded because of it.
    watchlist: int = 90
    # After the pass's end.
    passes: int = 30
    audit: int = 3 * 365
    # After consent was withdrawn, a request closed, an erasure completed.
    proofs: int = 3 * 365
    dead_letters: int = 30
    # How long an import can be taken back.
    imports: int = 30
    # On PostgreSQL passages wait up to a week more, and go with the whole week that they lie in.
    whole_weeks: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name == "whole_weeks":
                continue
            least = _LEAST.get(field.name, 1)
            if getattr(self, field.name) < least:
                raise UnlawfulRetentionError(field.name, least)
        for name in ("pictures", "unknown_faces"):
            # Once its row is gone nobody finds a picture any more, to show it or to delete it.
            if getattr(self, name) > self.passages:
                raise UnlawfulRetentionError("passages", getattr(self, name))

    def cutoff(self, field: str, at: dt.datetime) -> dt.datetime:
        """What is older than this may go."""
        days: int = getattr(self, field)
        return at - dt.timedelta(days=days)


_LEAST: Final = {
    "pictures": RECORDS_MIN_DAYS,
    "unknown_faces": RECORDS_MIN_DAYS,
    "passages": RECORDS_MIN_DAYS,
    "incidents": RECORDS_MIN_DAYS,
    "audit": ACCOUNTS_MIN_DAYS,
    "proofs": ACCOUNTS_MIN_DAYS,
}
