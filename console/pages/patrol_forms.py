"""What the forms of the patrol page come to: routes, times as people write them."""

import re
from collections.abc import Callable
from typing import Any, Final

from pydantic import ValidationError

from console.api.patrol_views import PatrolRouteAsked

_CLOCK: Final = re.compile(r"^(\d{1,2})[:：](\d{2})$")


def clock_of(minutes: int) -> str:
    """Minutes after midnight as people write them; beyond a day the hours go on: 25:30."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def asked(make: Callable[[], Any]) -> Any:
    """What a form comes to; None where it is not filled in well."""
    try:
        return make()
    except (ValidationError, ValueError):
        return None


def route_asked(
    name: str,
    team: str,
    points: list[str],
    numbers: list[str],
    in_order: str,
    least_s: str,
    most_s: str,
    tolerance_min: str,
) -> PatrolRouteAsked | None:
    """Points by the numbers beside them; one without a number is not on the route."""

    def make() -> PatrolRouteAsked:
        numbered = sorted(
            (int(number), point) for point, number in zip(points, numbers, strict=True) if number.strip()
        )
        return PatrolRouteAsked(
            name=name.strip(),
            team=team,
            points=[point for _, point in numbered],
            in_order=bool(in_order),
            least_s=int(least_s) if least_s.strip() else None,
            most_s=int(most_s) if most_s.strip() else None,
            tolerance_min=int(tolerance_min),
        )

    made: PatrolRouteAsked | None = asked(make)
    return made


def minutes(written: str) -> int:
    """Raises `ValueError`."""
    found = _CLOCK.match(written)
    if found is None or int(found[2]) > 59:
        raise ValueError(written)
    return int(found[1]) * 60 + int(found[2])
