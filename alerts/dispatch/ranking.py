"""Who should go: everybody on duty, the best first, each with the reasons; and who may not, and why. Pure.

Free before busy, the routed team before others, the near before the far (domain §4.1: "targeted push to
the nearest on duty"). What may never be is no matter of rank: a volunteer is not sent to violence.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.dispatch.ground import Ground, Point
from alerts.duty.models import Skill, TeamKind
from alerts.routing.tree import NOT_FOR_CARE, SILENT_KIND, SILENT_TEAMS

_VIOLENT: Final = frozenset({"violence", "weapon", "weapons", "fight", "robbery", "duress", "armed"})

SENT: Final = frozenset(
    {
        *(TeamKind.VOLUNTEER_POLICE, TeamKind.PATROL, TeamKind.EMERGENCY, TeamKind.MEDIATION),
        *(TeamKind.STEWARD, TeamKind.GUARD, TeamKind.PROPERTY, TeamKind.GRID),
    }
)
"""Teams whose people go somewhere. Operators stay at their desk, and the police are called."""

WANTED: Final[Mapping[str, frozenset[str]]] = {
    "fire.suspected": frozenset({Skill.FIRE}),
    "reported.fire": frozenset({Skill.FIRE}),
    "person.needs_help": frozenset({Skill.FIRST_AID}),
    "reported.medical": frozenset({Skill.FIRST_AID}),
    "reported.fall": frozenset({Skill.FIRST_AID}),
    "reported.lift_trap": frozenset({Skill.LIFT_RESCUE, Skill.TECHNICAL}),
    "ebike.in_lift": frozenset({Skill.FIRE, Skill.TECHNICAL}),
    "reported.noise": frozenset({Skill.MEDIATION}),
    "reported.dispute": frozenset({Skill.MEDIATION}),
    "care.silent": frozenset({Skill.ELDER_CARE, Skill.FIRST_AID}),
    "reported.lost_person": frozenset({Skill.ELDER_CARE}),
    "reported.damaged": frozenset({Skill.TECHNICAL}),
}
"""What somebody should be able to do, by the kind of what happened; one of it is enough."""

# Nearer than this is near, in metres of a walk: two minutes.
_NEAR_M: Final = 150.0
# Whoever is at home and on call needs time to come at all.
_ON_CALL_M: Final = 600.0
# Where nobody can say how far it is: across the compound.
_UNKNOWN_M: Final = 400.0
# Metres that a wanted skill is worth: it is fetched from the other end of a large compound.
_SKILL_M: Final = 300.0


def violent(kind: str) -> bool:
    """Whether a kind is of violence, threat or weapons: for staff and police alone."""
    return not _VIOLENT.isdisjoint(kind.replace("_", ".").split("."))


@dataclass(frozen=True, slots=True)
class Matter:
    """What somebody is to be sent to."""

    kind: str
    severity: int
    zone: str
    # The team that routing named.
    team: str | None
    # Not security: for those who look after people.
    care: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could be asked. `busy_with` are the severities of what they have taken on elsewhere."""

    id: str
    team: str
    kind: TeamKind
    on_duty: bool = True
    on_call: bool = False
    # Zones the team answers for; none: the whole compound.
    zones: frozenset[str] = frozenset()
    post: str | None = None
    position: Point | None = None
    skills: frozenset[str] = frozenset()
    capacity: int = 1
    busy_with: tuple[int, ...] = ()

    @property
    def busy(self) -> bool:
        return len(self.busy_with) >= self.capacity


@dataclass(frozen=True, slots=True)
class Ranked:
    """Where somebody stands in the row, and why; `excluded` says why they may not be sent at all."""

    id: str
    reasons: tuple[str, ...]
    busy: bool
    volunteer: bool
    # Metres of a walk, None where nobody can say.
    metres: float | None = None
    excluded: str | None = None


def exclusion(matter: Matter, candidate: Candidate) -> str | None:
    """Why somebody may not be sent, as a code; None where they may.

    Codes: `volunteer_violence`, `silent`, `not_for_care`, `other_task`, `off_duty`, `busy_graver`,
    `other_area`.
    """
    if candidate.kind.volunteers and violent(matter.kind):
        return "volunteer_violence"
    if matter.kind == SILENT_KIND and candidate.kind not in SILENT_TEAMS:
        # Whoever comes and looks may hurt somebody: the operator decides, with the police.
        return "silent"
    if matter.care and candidate.kind in NOT_FOR_CARE:
        return "not_for_care"
    quarrel = Skill.MEDIATION in WANTED.get(matter.kind, ())
    if candidate.kind is TeamKind.MEDIATION and not quarrel and candidate.team != matter.team:
        return "other_task"
    if not candidate.on_duty:
        return "off_duty"
    if candidate.busy and any(severity < matter.severity for severity in candidate.busy_with):
        return "busy_graver"
    if candidate.zones and matter.zone not in candidate.zones:
        return "other_area"
    return None


def rank(matter: Matter, candidates: Collection[Candidate], ground: Ground) -> list[Ranked]:
    """Everybody, the best first; who may not be sent stands at the end."""
    wanted = WANTED.get(matter.kind, frozenset())
    rows: list[tuple[tuple[object, ...], Ranked]] = []
    for one in candidates:
        excluded = exclusion(matter, one)
        metres = ground.metres(one.position if one.position is not None else one.post, matter.zone)
        skilled = not wanted.isdisjoint(one.skills)
        routed = one.team == matter.team
        there = metres == 0.0
        reasons = ["on_duty"] if one.on_duty else []
        if one.on_call:
            reasons.append("on_call")
        if routed:
            reasons.append("routed_team")
        if there:
            reasons.append("posted_here" if one.position is None else "is_here")
        elif metres is not None and metres <= _NEAR_M:
            reasons.append("near")
        if skilled:
            reasons.append("skilled")
        reasons.append("busy" if one.busy else "free")
        way = (_UNKNOWN_M if metres is None else metres) + (_ON_CALL_M if one.on_call else 0.0)
        way -= _SKILL_M if skilled else 0.0
        order = (excluded is not None, one.busy, not routed, way, len(one.busy_with), one.id)
        ranked = Ranked(one.id, tuple(reasons), one.busy, one.kind.volunteers, metres, excluded)
        rows.append((order, ranked))
    return [ranked for _, ranked in sorted(rows, key=lambda row: row[0])]


def alone(volunteers: Sequence[bool]) -> bool:
    """Whether those who would go are one volunteer and nobody else; `volunteers`: of each, whether so."""
    return len(volunteers) == 1 and volunteers[0]


def best(ranked: Sequence[Ranked], severity: int) -> list[Ranked]:
    """Whom to ask at once without a person's word: three for the gravest, else two.

    One volunteer by themselves is nobody: then nobody is asked, and people are told.
    """
    free = [one for one in ranked if one.excluded is None and not one.busy]
    chosen = free[: 3 if severity == 1 else 2]
    return [] if alone([one.volunteer for one in chosen]) else chosen


def following(ranked: Sequence[Ranked], asked: Collection[str]) -> Ranked | None:
    """Who is asked next, once those who were asked do not come; None where nobody is left."""
    return next((one for one in ranked if one.excluded is None and one.id not in asked), None)
