"""The month for the householders' meeting (户长会), as JSON and as a sheet; it names nobody."""

import codecs
import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from alerts.review.figures import Month
from alerts.review.month import figures
from console.accounts.models import User
from console.api.places import Here
from console.api.purposes import Look, Purpose, note_look
from console.context import Rooms
from console.permissions import Action, may
from console.problems import ProblemError
from registry.days import local_date

router = APIRouter(prefix="/reports", tags=["reports"])
Reader = Annotated[User, may(Action.REVIEWS_READ)]
Which = Annotated[str, Query(max_length=7)]


class MonthView(BaseModel):
    """`until` is the day after the last; `share` and `met` are shares from 0 to 1, times are seconds."""

    first: dt.date
    until: dt.date
    totals: dict[str, int]
    counts: list[dict[str, Any]]
    by_ring: dict[str, int]
    by_severity: dict[int, int]
    held: int
    rules: list[dict[str, Any]]
    responses: list[dict[str, Any]]
    reviews: dict[str, Any]
    measures: dict[str, Any]
    duty: dict[str, Any]
    patrols: dict[str, Any]
    drills: int
    drill_responses: list[dict[str, Any]]
    care: int


@router.get("/month")
def month(here: Here, user: Reader, month: Which = "") -> MonthView:
    """A month as `2026-11`, the present one where none is named. Exercises stand apart."""
    found = figures_of(here, user, month)
    rules = [asdict(one) | {"share": one.share} for one in found.rules]
    return MonthView(**(asdict(found) | {"rules": rules}))


@router.get("/month.csv")
def as_csv(here: Here, user: Reader, month: Which = "") -> Response:
    """The same as lines of group, name, figure, value: codes, which no language changes."""
    found = figures_of(here, user, month)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["group", "name", "figure", "value"])
    writer.writerows(lines(found))
    return Response(
        codecs.BOM_UTF8 + text.getvalue().encode(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="month-{found.first:%Y-%m}.csv"'},
    )


def figures_of(here: Rooms, user: User, month: str) -> Month:
    """The figures; that they were read is audited. Raises a 422 problem for what is no month."""
    at = here.clock.now()
    with here.database.write() as session:
        first = first_of(month, local_date(session, here.compound, at))
        look = Look("report.month", Purpose.REVIEW, f"compound:{here.compound}", f"{first:%Y-%m}")
        note_look(session, at, user, look)
    # Counting a month takes a while: nobody who writes waits for it.
    with here.database.read() as session:
        return figures(session, here.compound, first, at)


def first_of(month: str, today: dt.date) -> dt.date:
    """The first day of a month that is named like `2026-11`, not after the present one."""
    if not month:
        return today.replace(day=1)
    try:
        first = dt.datetime.strptime(month, "%Y-%m").date()  # noqa: DTZ007 - a day, not a moment
    except ValueError:
        raise ProblemError(422, "bad_month", "A month is written like 2026-11") from None
    if first > today or first.year < 2000:
        raise ProblemError(422, "bad_month", "The month has not come yet, or is too long ago")
    return first


def lines(found: Month) -> Iterator[tuple[str, str, str, object]]:
    """A month as group, name, figure and value."""
    yield from (("alarms", "all", name, number) for name, number in found.totals.items())
    for count in found.counts:
        name = f"{count.kind} {count.ring} S{count.severity}"
        yield ("kinds", name, "total", count.total)
        yield from (("kinds", name, str(one), number) for one, number in count.outcomes.items())
    for rule in found.rules:
        yield ("rules", rule.rule, "judged", rule.judged)
        yield ("rules", rule.rule, "false", rule.false)
    for group, responses in (("responses", found.responses), ("drill_responses", found.drill_responses)):
        for one in responses:
            yield (group, str(one.timer), "count", one.count)
            yield (group, str(one.timer), "p50_s", round(one.p50_s, 1))
            yield (group, str(one.timer), "p90_s", round(one.p90_s, 1))
            yield (group, str(one.timer), "met", "" if one.met is None else round(one.met, 4))
    for name in ("written", "unreviewed", "reopened"):
        yield ("reviews", "all", name, getattr(found.reviews, name))
    for group, scores in (("scores", found.reviews.scores), ("ratings", found.reviews.ratings)):
        yield from ((group, str(score), "number", number) for score, number in scores.counts.items())
    yield from (("causes", name, "number", number) for name, number in found.reviews.causes.items())
    yield from (("verdicts", name, "number", number) for name, number in found.reviews.alerts.items())
    for group, part in (("measures", found.measures), ("duty", found.duty), ("patrols", found.patrols)):
        yield from ((group, "all", name, value) for name, value in asdict(part).items())
    yield from ((name, "all", "number", getattr(found, name)) for name in ("held", "drills", "care"))
