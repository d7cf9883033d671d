"""What a letter says: the catalogue's words for a purpose, with the place and the kind in its blanks.

Nobody is named, whatever the arguments hold: only the blanks of `_BLANKS` are ever filled.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime
from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.duty.models import TeamKind
from alerts.incidents.models import Incident
from alerts.notify.letters import Told
from alerts.notify.models import ChannelKind, Purpose
from console.texts import LOCALES, Texts, load, locale_of
from registry.models import Compound, Zone
from storage import Database

_ZONE: Final = "Asia/Shanghai"
_BODY_MAX: Final = 480

# Codes whose words stand in a group of the catalogue, by the argument that carries them.
_CODED: Final[Mapping[str, str]] = {
    "kind": "kind",
    "fault": "fault",
    "stage": "report_stage",
    "channel": "channel",
}
# What is said as it is: a name of a place or a team, a number.
_PLAIN: Final = ("place", "team", "checkpoint", "count", "route")
_TIMES: Final = ("at", "until", "due")

# Who works at a desk reads more there; everybody else on the phone.
_DESK: Final = frozenset({TeamKind.OPERATOR, TeamKind.PROPERTY})
# Those who come and help: they are told how to stay safe as well (L-20).
_ADVISED: Final = frozenset({Purpose.INCIDENT, Purpose.OFFER, Purpose.HELP})

# A duty's time must never be the time at which somebody was told of it.
_SAYS_WHEN_ASKED: Final = frozenset({Purpose.TEST, Purpose.CHANNEL, Purpose.INCIDENT, Purpose.ESCALATION})

# The words of `console/static/worker.js`.
_REPLIES: Final = (
    *("accept", "decline", "accepted", "assisting", "taken", "declined", "refused", "waiting", "sign_in"),
)

_Path = Callable[[Told], str]


def _incident(told: Told) -> str:
    if told.incident is not None and _at_desk(told):
        return f"/console?incident={told.incident}"
    return "/phone"


def _at(desk: str, phone: str) -> _Path:
    return lambda told: desk if _at_desk(told) else phone


PATHS: Final[Mapping[Purpose, _Path]] = {
    Purpose.INCIDENT: _incident,
    Purpose.ESCALATION: _incident,
    Purpose.OFFER: lambda _: "/phone",
    Purpose.TAKEN: lambda _: "/phone",
    Purpose.CALLED_OFF: lambda _: "/phone",
    Purpose.LONE_WORKER: lambda _: "/phone",
    Purpose.HELP: _incident,
    Purpose.SHIFT: lambda _: "/phone/duty",
    Purpose.SWAP: lambda told: (
        "/console/roster" if told.arguments.get("why") == "to_approve" else "/phone/duty"
    ),
    Purpose.ROSTER_GAP: _at("/console/roster", "/phone"),
    Purpose.HANDOVER: _at("/console/handovers", "/phone"),
    Purpose.PATROL: _at("/console/patrols", "/phone/patrol"),
    Purpose.REVIEW: _at("/console/reviews", "/phone"),
    Purpose.MEASURE: _at("/console/measures", "/phone"),
    Purpose.WORK_ORDER: _at("/console/work-orders", "/phone"),
    Purpose.REPORT: _at("/phone/report", "/phone/report"),
    Purpose.CHANNEL: _at("/console/notifications", "/phone/notifications"),
    Purpose.TEST: _at("/console/notifications", "/phone/notifications"),
}


class LetterWords:
    """Says a notification in a language; looks up the incident's kind and the name of its place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def letter(self, told: Told, language: str) -> tuple[str, str, str | None]:
        """Title, body, and the path of the console that shows more."""
        with self._database.read() as session:
            return in_words(session, told, texts_of(language))

    def replies(self, told: Told, language: str) -> Mapping[str, str]:
        """What can be pressed on the lock screen under a question, and what is said then."""
        if told.purpose is not Purpose.OFFER:
            return {}
        t = texts_of(language)
        return {name: t(f"notify_action.{name}") for name in _REPLIES}


def texts_of(language: str) -> Texts:
    """The catalogue of a language tag; Chinese where it is none of ours."""
    return load(locale_of(language) or LOCALES[0])


def in_words(session: Session, told: Told, t: Texts) -> tuple[str, str, str]:
    """The same in a session of the caller's."""
    blanks = _blanks(session, told, t)
    key = _key(told, t)
    title = t.sentence(f"{key}.title", blanks)
    said = [t.sentence(f"{key}.body", blanks)]
    advice = f"advice.{blanks.get('kind_code')}"
    if told.purpose in _ADVISED and told.team in _COMING and advice in t.keys:
        said.append(t(advice).splitlines()[0])
    if told.more:
        said.append(t("letter.more", count=told.more))
    if told.drill:
        # First and last: whoever reads only one of them must know.
        title = t("letter.drill.title", title=title)
        said = [t("letter.drill.body"), *said]
    body = ("" if t.lang.startswith("zh") else " ").join(part for part in said if part)
    return title, body[:_BODY_MAX], _path(told)


def _key(told: Told, t: Texts) -> str:
    """The words for why it is told, where there are any; else those of the purpose."""
    plain = f"letter.{told.purpose}"
    given = told.arguments
    for why in (given.get("why"), given.get("reason"), given.get("step"), *_marks(given)):
        if isinstance(why, str) and f"{plain}.{why}.title" in t.keys:
            return f"{plain}.{why}"
    return plain


def _marks(given: Mapping[str, Any]) -> Iterator[str]:
    count = given.get("count")
    if isinstance(count, int) and count > 1:
        yield "several"
    for name, word in (("again", "again"), ("you_lead", "lead"), ("second_wanted", "second")):
        if given.get(name) is True:
            yield word


def _path(told: Told) -> str:
    given = told.arguments.get("path")
    # Of our own alone: a letter must lead nowhere else.
    if isinstance(given, str) and given.startswith("/") and not given.startswith("//") and "\\" not in given:
        return given
    return PATHS[told.purpose](told)


_COMING: Final = frozenset(kind for kind in TeamKind if kind not in _DESK)


def _at_desk(told: Told) -> bool:
    return told.kind == ChannelKind.CONSOLE or told.team in _DESK


def _blanks(session: Session, told: Told, t: Texts) -> dict[str, Any]:
    blanks: dict[str, Any] = {
        "severity": t.code("severity", str(told.severity)),
        "level": told.severity,
    }
    given = dict(told.arguments)
    zone_id: str | None = given.get("zone") if isinstance(given.get("zone"), str) else None
    zone = _zone_of(session, told.compound)
    if told.incident is not None:
        row = session.execute(
            select(Incident.kind, Incident.zone, Incident.happened_at).where(Incident.id == told.incident)
        ).one_or_none()
        if row is not None:
            given.setdefault("kind", row.kind)
            zone_id = zone_id or row.zone
            given.setdefault("at", row.happened_at)
    if told.purpose in _SAYS_WHEN_ASKED:
        given.setdefault("at", told.asked_at)
    for name, group in _CODED.items():
        code = given.get(name)
        if isinstance(code, str):
            blanks[name] = t.code(group, code)
            blanks[f"{name}_code"] = code
    for name in _PLAIN:
        value = given.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool):
            blanks[name] = value
    for name in _TIMES:
        moment = _moment(given.get(name))
        if moment is not None:
            blanks[name] = format_datetime(moment.astimezone(zone), t("time.day_pattern"), locale=t.locale)
    if "place" not in blanks and zone_id is not None:
        known = session.scalar(select(Zone.name).where(Zone.id == zone_id, Zone.compound == told.compound))
        blanks["place"] = known or zone_id
    return blanks


def _moment(value: object) -> dt.datetime | None:
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, dt.datetime) and value.tzinfo is not None else None


def _zone_of(session: Session, compound: str) -> ZoneInfo:
    name = session.scalar(select(Compound.time_zone).where(Compound.id == compound))
    try:
        return ZoneInfo(name or _ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(_ZONE)
