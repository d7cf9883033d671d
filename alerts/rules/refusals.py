"""Why somebody was refused at a reader, in the words of the adapters, and whether it was a face."""

from typing import Final

from alerts.rules.observation import Observation

RECOGNITION: Final = frozenset({"face_mismatch", "not_live", "low_quality", "not_recognised"})
"""Somebody was there and was not recognised: no word on whether they may come in."""
MAINTENANCE: Final = "maintenance"
# A face that a terminal does not know is a passer-by more often than not; nobody held anything up.
_NAMELESS: Final = frozenset({"not_registered", "unknown", "refused"})


def why_refused(seen: Observation) -> str | None:
    """The reason of a refusal: ours where we gave one, else the device's."""
    if seen.cause is not None:
        return seen.cause
    told = seen.attributes.get("reason")
    return told if isinstance(told, str) else None


def by_face(seen: Observation) -> bool:
    """Whether it was a face that was refused, as far as anybody says.

    `attributes.shown` is the kind of credential that was presented, where the device tells it.
    """
    shown = seen.attributes.get("shown")
    if isinstance(shown, str):
        return shown == "face"
    return why_refused(seen) in RECOGNITION or (
        seen.credential_id is None and seen.person_id is not None and why_refused(seen) in _NAMELESS
    )
