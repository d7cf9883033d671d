"""Whom an incident climbs to that nobody takes, answers or reaches: rung by rung. Pure.

Source: the procedure's table ("on timeout", domain §4.3) and its ladder (§4.5): responder → building
steward or grid worker → operators' lead → property manager → community duty → street duty. What the next
responder, a second one and the team's lead are asked is `dispatch`'s; here is who is told above them.
"""

import enum
from collections.abc import Mapping, Sequence
from typing import Final

from alerts.incidents.deadlines import Timer


class Target(enum.StrEnum):
    """Who stands on a rung."""

    # Whoever goes: the operator calls them, and they are asked where they are.
    RESPONDER = "responder"
    # Operators on duty: all of them where nobody has taken it, else those besides who has.
    OPERATORS = "operators"
    SECOND_OPERATOR = "second_operator"
    STEWARD = "steward"
    TEAM_LEAD = "team_lead"
    # Whoever leads the operators: the duty manager.
    OPERATOR_LEAD = "operator_lead"
    PROPERTY_MANAGER = "property_manager"
    COMMUNITY = "community"
    STREET = "street"


_ABOVE: Final = (Target.OPERATOR_LEAD, Target.PROPERTY_MANAGER, Target.COMMUNITY, Target.STREET)

LADDERS: Final[Mapping[Timer, Sequence[frozenset[Target]]]] = {
    timer: tuple(frozenset(rung) if isinstance(rung, tuple) else frozenset({rung}) for rung in rungs)
    for timer, rungs in {
        Timer.ACKNOWLEDGE: (Target.SECOND_OPERATOR, *_ABOVE),
        Timer.CONFIRM: (Target.SECOND_OPERATOR, *_ABOVE),
        Timer.DISPATCH: (Target.SECOND_OPERATOR, *_ABOVE),
        # Next responder, then a wider circle, then the team's lead by telephone: the operator sees it.
        Timer.ACCEPT: (
            Target.OPERATORS,
            (Target.OPERATORS, Target.STEWARD),
            (Target.OPERATORS, Target.TEAM_LEAD),
            *_ABOVE,
        ),
        Timer.ARRIVE: (
            (Target.RESPONDER, Target.OPERATORS),
            (Target.OPERATORS, Target.STEWARD, Target.TEAM_LEAD),
            *_ABOVE,
        ),
        Timer.RESOLVE: (Target.OPERATOR_LEAD, Target.PROPERTY_MANAGER),
        Timer.REVIEW: (Target.OPERATOR_LEAD,),
    }.items()
}

# A warning does not get community and street out of bed.
_MOST: Final[Mapping[int, int]] = {1: 99, 2: 99, 3: 3, 4: 0}


def rungs(timer: Timer, severity: int) -> int:
    """How many rungs the ladder of a timer has: 0 for a notice."""
    return min(len(LADDERS.get(timer, ())), _MOST.get(severity, 0))


def targets(timer: Timer, level: int, severity: int) -> frozenset[Target]:
    """Who is told when a timer ran out for the `level`-th time, from 1; beyond the end the last rung."""
    count = rungs(timer, severity)
    return frozenset() if count == 0 or level < 1 else LADDERS[timer][min(level, count) - 1]
