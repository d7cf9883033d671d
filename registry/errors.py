"""How the registry says no: a code that the catalogues have words for, and facts without personal data."""

from typing import Any


class RefusedError(Exception):
    """What was asked for cannot be done as things stand, or never.

    `code` is stable and stands in both catalogues; `facts` hold ids, dates and numbers that
    help whoever asked, never a name, a phone, a card or a plate.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


class MissingError(LookupError):
    """There is no such thing in this compound; `kind` is its noun (`dwelling`, `visitor_pass`)."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"no such {kind}")
        self.kind = kind


class StaleEditError(Exception):
    """Somebody else has edited the row since it was read; `version` is what it is now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the row is at version {version}")
        self.version = version
