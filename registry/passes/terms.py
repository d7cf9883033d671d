"""What a visitor pass of each kind gives: how long, how often, and whose word is enough.

| kind | usual | longest | uses | host decides | why |
|---|---|---|---|---|---|
| courier | 2 h | 12 h | 1 | yes | one round; who comes back later rings again |
| food delivery | 1 h | 3 h | 1 | yes | the meal is cold after that |
| visitor | 12 h | 24 h | – | yes | a day's visit; a longer stay is extended day by day |
| contractor | 7 d | 90 d | – | no | building work is registered with the property office |
| domestic help | 30 d | 90 d | – | yes | the household's own employee, asked about anew every quarter |
| business | 12 h | 7 d | – | yes | customers and suppliers of an organisation that has its premises here |
| event | 6 h | 3 d | – | no | one pass, many people: the property office has to know of a crowd |
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from registry.errors import RefusedError
from registry.passes.models import PassKind

AHEAD: Final = dt.timedelta(days=30)
"""How long before its beginning a pass may be asked for: nobody knows who lives here in a year."""


@dataclass(frozen=True, slots=True)
class PassTerms:
    """`usual` is the period where nobody names an end, `longest` the most that one decision gives.

    `uses` is how many entries where nobody says; None: as many as it takes. `host_decides`
    is whether the host's word, or a guard's who stands before the visitor, is enough.
    """

    usual: dt.timedelta
    longest: dt.timedelta
    uses: int | None
    host_decides: bool


TERMS: Final[dict[PassKind, PassTerms]] = {
    PassKind.COURIER: PassTerms(dt.timedelta(hours=2), dt.timedelta(hours=12), 1, host_decides=True),
    PassKind.FOOD_DELIVERY: PassTerms(dt.timedelta(hours=1), dt.timedelta(hours=3), 1, host_decides=True),
    PassKind.VISITOR: PassTerms(dt.timedelta(hours=12), dt.timedelta(hours=24), None, host_decides=True),
    PassKind.CONTRACTOR: PassTerms(dt.timedelta(days=7), dt.timedelta(days=90), None, host_decides=False),
    PassKind.DOMESTIC_HELP: PassTerms(dt.timedelta(days=30), dt.timedelta(days=90), None, host_decides=True),
    PassKind.BUSINESS: PassTerms(dt.timedelta(hours=12), dt.timedelta(days=7), None, host_decides=True),
    PassKind.EVENT: PassTerms(dt.timedelta(hours=6), dt.timedelta(days=3), None, host_decides=False),
}


def period(
    kind: PassKind, starts_at: dt.datetime | None, ends_at: dt.datetime | None, at: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    """When a pass begins and ends, asked for at `at`; what is not said is now and the usual.

    Raises `RefusedError`: `pass_order`, `pass_over`, `pass_too_early`, `pass_too_long`.
    """
    terms = TERMS[kind]
    begins = at if starts_at is None else starts_at
    ends = begins + terms.usual if ends_at is None else ends_at
    if ends <= begins:
        raise RefusedError("pass_order")
    if ends <= at:
        raise RefusedError("pass_over")
    if begins > at + AHEAD:
        raise RefusedError("pass_too_early", days=AHEAD.days)
    if ends - begins > terms.longest:
        raise RefusedError("pass_too_long", hours=terms.longest // dt.timedelta(hours=1))
    return begins, ends


def extended(kind: PassKind, ends_at: dt.datetime, at: dt.datetime) -> dt.datetime:
    """The new end of a pass that is extended at `at`. Raises `pass_over` and `pass_too_long`.

    Counted from now: somebody who lets a guest stay on has to say so again and again.
    """
    longest = TERMS[kind].longest
    if ends_at <= at:
        raise RefusedError("pass_over")
    if ends_at - at > longest:
        raise RefusedError("pass_too_long", hours=longest // dt.timedelta(hours=1))
    return ends_at
