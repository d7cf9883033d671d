"""R-E11: a credential was shown that opens nothing any more: lost, suspended, ended or out of date.

The register's word counts before the device's. A lost card may be in a finder's hand, so somebody
looks; what has merely run out is a notice, for its holder stands before a closed door.
"""

from typing import ClassVar, Final

from alerts.rules.observation import Observation
from alerts.rules.refusals import why_refused
from alerts.rules.rule import DISORDER, Parameter, Question, Rule, Settings, Signal, View

_LISTENS: Final = frozenset({"access.granted", "access.denied"})
# What a reader may say of a credential that the register does not know; words of the devices.
_CAUSES: Final = {"lost": "lost", "expired": "expired", "revoked": "ended", "suspended": "suspended"}


class DeadCredential(Rule):
    """Raises one incident a credential and ten minutes."""

    id = "R-E11"
    kind = "credential.deactivated"
    rings = frozenset({"entrance", "common", "building"})
    listens = _LISTENS
    severities: ClassVar = {"lost": 3, "expired": 4, "ended": 4, "suspended": 4}
    key = "credential"
    parameters = (
        Parameter(
            "dedupe_s",
            "s",
            600,
            60,
            3600,
            "How long further uses are the same incident. Too short: one try is many incidents. Too long: "
            "a second try is overlooked.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        if observation.type in _LISTENS and _state(observation) is not None:
            # The anchor says it all; it waits only so that uses are told in the order in which they were.
            return Question(observation, observation.at + DISORDER)
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        shown = question.anchor
        state = _state(shown)
        if state is None:
            return None
        opened = shown.type == "access.granted"
        return Signal(
            rule=DeadCredential.id,
            kind=DeadCredential.kind,
            severity=settings.severity(state),
            dedupe_key=f"{DeadCredential.id}:{shown.credential_id or shown.place}",
            dedupe_window=settings.seconds("dedupe_s"),
            anchor=shown,
            evidence=(shown,),
            reason=f"credential_{state}",
            reason_args={"lane": shown.place, "credential": shown.credential_id, "opened": opened},
            subject_kind="credential" if shown.credential_id is not None else None,
            subject=shown.credential_id,
        )


def _state(shown: Observation) -> str | None:
    """lost, suspended, ended or expired; None where it is good, or a visitor's pass (R-E02 and R-E03)."""
    if shown.visit is not None:
        return None
    known = shown.credential
    if known is not None:
        if known.status in {"lost", "suspended", "ended"}:
            return known.status
        return "expired" if known.expired else None
    return _CAUSES.get(why_refused(shown) or "") if shown.type == "access.denied" else None
