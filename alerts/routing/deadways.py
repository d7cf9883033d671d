"""Routes that nothing can ever come to, and waits on what waits for nothing. Pure."""

from collections import defaultdict

from alerts.routing.matching import Matcher, Op
from alerts.routing.reading import KNOWN, Reading
from alerts.routing.tree import URGENT, Route
from alerts.rulebook.findings import Findings


def dead_ways(found: Findings, route: Route, above: tuple[Matcher, ...] = ()) -> None:
    """Routes that nothing can ever come to."""
    earlier: list[Route] = []
    for child in route.routes:
        path = (*above, *child.matchers)
        clash = _contradiction(path)
        if clash is not None:
            found.error(
                child.line, "route_never", child.name, name=child.name, one=str(clash[0]), other=str(clash[1])
            )
        else:
            for one in earlier:
                if not one.active and not one.goes_on and set(one.matchers) <= set(child.matchers):
                    found.error(child.line, "route_behind", child.name, name=child.name, first=one.name)
                    break
        earlier.append(child)
        dead_ways(found, child, path)


def _contradiction(matchers: tuple[Matcher, ...]) -> tuple[Matcher, Matcher] | None:
    """Two matchers that cannot hold of one incident."""
    by_label: dict[str, list[Matcher]] = defaultdict(list)
    for matcher in matchers:
        by_label[matcher.label].append(matcher)
    for label, ones in by_label.items():
        values = {"1", "2", "3", "4"} if label == "severity" else set(KNOWN.get(label, ()))
        if not values:
            # Of what has no known values only a value that is named can be tried.
            named = [one for one in ones if one.op is Op.IS]
            values = {one.value for one in named}
            if not values:
                continue
        left = {value for value in values if all(one.test({label: value}) for one in ones)}
        if not left and len(ones) > 1:
            return ones[0], ones[-1]
        if not left and label in KNOWN:
            return ones[0], ones[0]
    return None


def urgent_waits(found: Findings, reading: Reading, route: Route, above: tuple[Matcher, ...] = ()) -> None:
    """A wait on what is S1 or S2 alone is meant otherwise: these wait for nothing."""
    path = (*above, *route.matchers)
    of = [one for one in path if one.label == "severity"]
    left = [value for value in (1, 2, 3, 4) if all(one.test({"severity": str(value)}) for one in of)]
    if of and left and max(left) <= URGENT and reading.waits.get(route.name) is not None and route.wait_s:
        found.error(
            reading.waits[route.name], "urgent_waits", route.name, name=route.name, seconds=route.wait_s
        )
    for child in route.routes:
        urgent_waits(found, reading, child, path)
