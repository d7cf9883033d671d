"""What people hear of their duty: before it, at its change, and when somebody changes it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import Responder, Shift, Team
from alerts.duty.rostermodels import DutySwap
from alerts.notify.asking import Ask, ask
from alerts.notify.models import Notification, Purpose

AHEAD: Final = dt.timedelta(hours=12)
SOON: Final = dt.timedelta(minutes=30)
_LATE: Final = dt.timedelta(minutes=15)
"""A change of shift that is noticed later than this is told to nobody: it is no news."""

FEW: Final = 2
"""So many changes of one person are told one by one; more are told as so many."""

AT_ONCE: Final = 300


@dataclass(frozen=True, slots=True)
class News:
    """What became of a shift, for whoever has or had it. `why` is a code of the words."""

    why: str
    responder: str
    shift: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    post: str | None
    on_call: bool

    @classmethod
    def of(cls, why: str, row: Shift) -> "News":
        """As the row is now; whoever is about to change it takes the news of the old one first."""
        return cls(why, row.responder, row.id, row.starts_at, row.ends_at, row.post, row.on_call)


def tell(session: Session, compound: str, news: Iterable[News], at: dt.datetime) -> int:
    """Tells each what concerns them; more than a few at once are one notice. Returns how many asks."""
    by_responder: dict[str, list[News]] = defaultdict(list)
    for one in news:
        by_responder[one.responder].append(one)
    if not by_responder:
        return 0
    teams: dict[str, str] = dict(
        session.execute(
            select(Responder.id, Team.name)
            .join(Team, Team.id == Responder.team)
            .where(Responder.id.in_(by_responder))
        ).all()
    )
    asks: list[Ask] = []
    for responder, its in by_responder.items():
        if len(its) > FEW:
            asks.append(_several(compound, responder, its, at))
        else:
            asks += [_one(compound, one, teams.get(responder), at) for one in its]
    return len(ask(session, asks, at))


def _one(compound: str, news: News, team: str | None, at: dt.datetime) -> Ask:
    times = f"{_stamp(news.starts_at)}-{_stamp(news.ends_at)}"
    return Ask(
        compound,
        # The same news of the same times is told once.
        f"shift:{news.shift}:{news.why}:{news.responder}:{times}",
        Purpose.SHIFT,
        # Half a day ahead is a notice, which keeps quiet at night; the rest is not.
        severity=4 if news.why == "ahead" else 3,
        responder=news.responder,
        arguments={
            "why": news.why,
            "shift": news.shift,
            "at": news.starts_at.isoformat(),
            "until": news.ends_at.isoformat(),
            "zone": news.post,
            "team": team,
            "on_call": news.on_call,
        },
        expires_at=max(news.ends_at, at + dt.timedelta(hours=1)),
    )


def _several(compound: str, responder: str, its: Sequence[News], at: dt.datetime) -> Ask:
    first, last = min(one.starts_at for one in its), max(one.ends_at for one in its)
    return Ask(
        compound,
        f"shift:several:{responder}:{_stamp(at)}",
        Purpose.SHIFT,
        responder=responder,
        arguments={
            "why": "several",
            "count": len(its),
            "at": first.isoformat(),
            "until": last.isoformat(),
        },
        expires_at=last,
    )


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y%m%dT%H%M")


def keep(session: Session, now: dt.datetime) -> int:
    """The round: who begins in half a day, who in half an hour, who begins now and who is relieved."""
    rows = session.execute(
        select(Shift, Team.compound)
        .join(Responder, Responder.id == Shift.responder)
        .join(Team, Team.id == Responder.team)
        .where(
            Responder.active,
            Shift.ends_at > now - _LATE,
            Shift.starts_at <= now + AHEAD,
            # Whoever has just checked in knows it.
            (Shift.roster.is_not(None)) | (Shift.checked_in_at.is_(None)),
        )
        .order_by(Shift.starts_at, Shift.id)
    )
    wanted: dict[str, list[News]] = {}
    for row, compound in rows:
        if (why := _why(row, now)) is not None:
            wanted.setdefault(compound, []).append(News.of(why, row))
    return sum(
        # One by one: two duties that come soon are two things to know.
        tell(session, compound, [one], now)
        for compound, news in wanted.items()
        for one in _untold(session, compound, news)[:AT_ONCE]
    )


def _untold(session: Session, compound: str, news: list[News]) -> list[News]:
    keys = {_one(compound, one, None, one.starts_at).key: one for one in news}
    known = session.scalars(
        select(Notification.key).where(Notification.compound == compound, Notification.key.in_(keys))
    )
    for key in known:
        del keys[key]
    return list(keys.values())


def _why(row: Shift, now: dt.datetime) -> str | None:
    if row.ends_at <= now:
        # Who went by themselves know it.
        return "ends" if row.checked_out_at is None else None
    if row.starts_at <= now:
        return "begins" if row.starts_at > now - _LATE else None
    return "soon" if row.starts_at <= now + SOON else "ahead"


def swap(
    session: Session, row: DutySwap, why: str, whom: Iterable[str], at: dt.datetime, post: str | None = None
) -> None:
    """Tells somebody how a swap stands."""
    arguments: Mapping[str, Any] = {
        "why": why,
        "swap": row.id,
        "shift": row.shift,
        "at": row.starts_at.isoformat(),
        "until": row.ends_at.isoformat(),
        "zone": post,
    }
    ask(
        session,
        [
            Ask(
                row.compound,
                f"swap:{row.id}:{why}:{one}",
                Purpose.SWAP,
                responder=one,
                arguments=arguments,
                expires_at=max(row.starts_at, at + dt.timedelta(hours=1)),
            )
            for one in whom
        ],
        at,
    )
