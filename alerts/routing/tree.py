"""The routing table: the first route whose matchers all hold names the team. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Facts:
    """What an incident is routed by."""

    ring: str
    kind: str
    severity: int
    zone: str


@dataclass(frozen=True, slots=True)
class Route:
    """Matchers that are empty match everything; `team_kind` is who is concerned."""

    team_kind: str
    rings: frozenset[str] = field(default_factory=frozenset)
    kinds: frozenset[str] = field(default_factory=frozenset)
    max_severity: int = 4

    def matches(self, facts: Facts) -> bool:
        return (
            (not self.rings or facts.ring in self.rings)
            and (not self.kinds or facts.kind in self.kinds)
            and facts.severity <= self.max_severity
        )


# One route a ring: the gate's guards at the entrances, volunteers inside.
DEFAULT_ROUTES = (
    Route("guard", rings=frozenset({"entrance"})),
    Route("volunteer_police", rings=frozenset({"common"})),
    Route("volunteer_police", rings=frozenset({"building"})),
)


class NoRouteError(LookupError):
    """A hole in the table: an incident that would reach nobody."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(f"no route for {facts}")
        self.facts = facts


def route(routes: Sequence[Route], facts: Facts) -> Route:
    """The first matching route. Raises `NoRouteError`."""
    for candidate in routes:
        if candidate.matches(facts):
            return candidate
    raise NoRouteError(facts)


def holes(routes: Sequence[Route]) -> list[Facts]:
    """Combinations of ring and severity that no route without further matchers takes."""
    missing = []
    for ring in ("entrance", "common", "building"):
        for severity in (1, 2, 3, 4):
            facts = Facts(ring, "", severity, "")
            if not any(candidate.matches(facts) for candidate in routes if not candidate.kinds):
                missing.append(facts)
    return missing
