"""A terminal's own word: when it is taken, when our engines look, and what a difference means.

A terminal that matches by itself has compared with a list that we gave it, at a threshold that
is not ours. With liveness and a good score its match is accepted as *asserted by that device*,
after the registry has been asked about the person. Otherwise our engines look at its picture.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bus.messages import DeviceMatch, EventStored
from devices.enrolments import TerminalEnrolment
from recognition.models import Policy
from recognition.work.finding import NO_FACE, NO_USABLE_FACE, NO_USABLE_PICTURE, Finding
from registry.days import local_date
from registry.faces.models import Consent, ConsentPurpose
from registry.people.ages import is_under_14
from registry.people.models import Person

DEVICE: Final = "device"
BY_DEVICE: Final = "asserted_by_device"
DIFFERS: Final = "device_match_differs"
AGREES: Final = "device_match_agrees"

_NOTHING_SEEN: Final = frozenset({NO_FACE, NO_USABLE_FACE, NO_USABLE_PICTURE})
_OUTCOME_OF_TYPE: Final[Mapping[str, str]] = {"face.unknown": "unknown", "face.uncertain": "uncertain"}


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the registry says of the person whom a device asserts; ``fault`` is why it is not accepted."""

    person_id: str
    household_id: str | None
    fault: str | None


def claimed(session: Session, event: EventStored, now: dt.datetime) -> Claimed | None:
    """Whom the device says it saw, checked against the registry; None where it names nobody of ours."""
    match = event.match
    if match is None or match.person_id is None:
        return None
    person = session.get(Person, match.person_id)
    if person is None or person.compound != event.compound or person.erased_at is not None:
        return Claimed(match.person_id, None, "asserted_nobody")
    return Claimed(person.id, person.household, _fault(session, event, person, now))


def accepted(event: EventStored, who: Claimed | None, policy: Policy, low_score: float) -> Finding | None:
    """The finding of an event that is not looked at by us; None where our engines look.

    A child is never named by a device either, and a person whose face should not lie on that
    terminal any more is nobody it may name.
    """
    if policy is Policy.ALWAYS or (event.match is None and policy is Policy.NEEDED):
        return None
    why_not = _why_not(event.match, low_score)
    if why_not is None and who is not None:
        if who.fault is None:
            return _finding(
                event, "identified", BY_DEVICE, person_id=who.person_id, household_id=who.household_id
            )
        if who.fault == "under_14" or policy is Policy.NEVER:
            return _finding(event, "uncertain", who.fault, BY_DEVICE)
    if policy is Policy.NEVER:
        if who is None and event.type == "face.unknown" and not _is_dead(event.match):
            return _finding(event, "unknown", BY_DEVICE)
        return _finding(event, "uncertain", why_not or "device_match_not_trusted", BY_DEVICE)
    return None


def compared(finding: Finding, event: EventStored, who: Claimed | None, low_score: float) -> Finding:
    """Our own finding beside the device's word. Where they differ nobody is named."""
    evidence = finding.evidence | evidence_of(event.match)
    finding = replace(finding, evidence=evidence)
    if finding.outcome in _NOTHING_SEEN:
        return _without_a_look(finding, event, who, low_score)
    if event.match is None or (event.match.person_ref is None and who is None):
        return finding
    if who is None:
        return replace(finding, reasons=(*finding.reasons, "device_match_not_trusted"))
    agrees = finding.person_id == who.person_id or (
        finding.outcome == "household" and finding.household_id == who.household_id
    )
    if agrees:
        return replace(finding, reasons=(*finding.reasons, AGREES))
    if finding.outcome == "uncertain":
        return finding
    return differing(finding)


def differing(finding: Finding) -> Finding:
    """The finding of a face of which a device and we say different things."""
    return replace(
        finding, outcome="uncertain", person_id=None, household_id=None, reasons=(DIFFERS, *finding.reasons)
    )


def evidence_of(match: DeviceMatch | None) -> dict[str, Any]:
    """What the device said, as it is kept beside a decision."""
    if match is None:
        return {}
    said = {"person_ref": match.person_ref, "score": match.score, "liveness": match.liveness}
    return {"device_match": said}


def _without_a_look(finding: Finding, event: EventStored, who: Claimed | None, low_score: float) -> Finding:
    """The device's word is all there is: no picture came, or none that shows a face."""
    if _is_dead(event.match):
        return replace(finding, outcome="uncertain", reasons=("not_live", *finding.reasons))
    if who is not None:
        why = who.fault or _why_not(event.match, low_score) or "device_match_not_trusted"
        return replace(finding, outcome="uncertain", reasons=(why, BY_DEVICE, *finding.reasons))
    outcome = _OUTCOME_OF_TYPE.get(event.type)
    if outcome is None:
        ref = event.match is not None and event.match.person_ref is not None
        return replace(finding, reasons=(*finding.reasons, *(("device_match_not_trusted",) if ref else ())))
    return replace(finding, outcome=outcome, engine=DEVICE, reasons=(BY_DEVICE, *finding.reasons))


def _why_not(match: DeviceMatch | None, low_score: float) -> str | None:
    """Why a device's word alone is not enough; None where it is."""
    if match is None:
        return "device_no_match"
    if match.liveness is False:
        return "not_live"
    if match.liveness is None:
        return "liveness_not_asserted"
    if match.score is not None and match.score < low_score:
        return "device_score_low"
    return None


def _is_dead(match: DeviceMatch | None) -> bool:
    return match is not None and match.liveness is False


def _fault(session: Session, event: EventStored, person: Person, now: dt.datetime) -> str | None:
    if is_under_14(person, local_date(session, event.compound, now)):
        return "under_14"
    lies_there = session.scalar(
        select(TerminalEnrolment.id).where(
            TerminalEnrolment.device == event.device_id,
            TerminalEnrolment.person == person.id,
            TerminalEnrolment.face,
        )
    )
    if lies_there is None:
        return "asserted_not_enrolled"
    agreed = session.scalar(
        select(Consent.id).where(
            Consent.person == person.id,
            Consent.purpose == ConsentPurpose.FACE_ACCESS,
            Consent.withdrawn_at.is_(None),
        )
    )
    return "asserted_without_consent" if agreed is None else None


def _finding(
    event: EventStored,
    outcome: str,
    *reasons: str,
    person_id: str | None = None,
    household_id: str | None = None,
) -> Finding:
    return Finding(
        "face",
        outcome,
        reasons,
        person_id=person_id,
        household_id=household_id,
        engine=DEVICE,
        gallery=f"terminal:{event.device_id}"[:96],
        evidence=evidence_of(event.match),
    )
