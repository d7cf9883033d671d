"""Rendering: one template environment, and what every page knows besides its own facts."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_datetime
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape
from sqlalchemy.orm import Session

from console.accounts.models import User
from console.context import rooms
from console.guides import section_for
from console.pages.navigation import Link, menu, tabs
from console.permissions import Action, allowed
from console.security import csrf_token, identify, recently_proved
from console.texts import COOKIE, Texts, load, negotiate
from registry.models import Compound

_DEFAULT_ZONE: Final = "Asia/Shanghai"
THEME_COOKIE: Final = "ringward_theme"
THEMES: Final = ("light", "dark")

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent.parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _attribute_json(value: Any) -> str:
    """JSON for an attribute: escaped as text, so that no quote of a value can end it."""
    return escape(json.dumps(value, ensure_ascii=False))


_environment.filters["json_attribute"] = _attribute_json


@dataclass(frozen=True, slots=True)
class Frame:
    """What a page is rendered in: language, time zone, the present moment, who looks."""

    t: Texts
    user: User | None
    csrf: str
    zone: ZoneInfo
    now: dt.datetime
    compound_name: str
    path: str
    # `light` or `dark`; None: as the computer has it.
    theme: str | None = None
    # Whoever looks has lately shown who they are, as actions of weight ask for.
    proved: bool = False

    @property
    def lang(self) -> str:
        return self.t.lang

    @property
    def menu(self) -> list[Link]:
        return menu(self.user, self.path)

    @property
    def tabs(self) -> list[Link]:
        return tabs(self.user, self.path)

    @property
    def help(self) -> str:
        """Where the help for this page is."""
        return section_for(self.path, self.user.role) if self.user else ""

    def may(self, action: str) -> bool:
        """Whether the reader's role may do something, e.g. `may("people_edit")`."""
        return self.user is not None and allowed(self.user, Action(action))

    def clock(self, moment: dt.datetime | None) -> str:
        """The compound's local time to the second, with the day when it is not today."""
        if moment is None:
            return ""
        local, today = moment.astimezone(self.zone), self.now.astimezone(self.zone).date()
        if local.date() == today:
            pattern = "HH:mm:ss"
        else:
            pattern = self.t("time.day_pattern" if local.year == today.year else "time.year_pattern")
        return format_datetime(local, pattern, locale=self.t.locale)

    def when(self, moment: dt.datetime) -> str:
        """The compound's local time to the minute, its day said as people say it: today 18:00."""
        local, today = moment.astimezone(self.zone), self.now.astimezone(self.zone).date()
        word = {-1: "time.yesterday", 0: "time.today", 1: "time.tomorrow"}.get((local.date() - today).days)
        if word is None:
            return self.dated(moment)
        return self.t(word, at=format_datetime(local, "HH:mm", locale=self.t.locale))

    def dated(self, moment: dt.datetime) -> str:
        """The same with the day of the calendar, for what is read on another day, too."""
        local = moment.astimezone(self.zone)
        near = local.year == self.now.astimezone(self.zone).year
        pattern = self.t("time.day_minute_pattern" if near else "time.year_minute_pattern")
        return format_datetime(local, pattern, locale=self.t.locale)

    def day(self, date: dt.date | None) -> str:
        """A calendar day as the reader writes it."""
        return format_date(date, "medium", locale=self.t.locale) if date else ""

    def age(self, moment: dt.datetime) -> str:
        """How long ago, in one unit: 40 s, 12 min, 3 h, 2 d."""
        seconds = max(0, int((self.now - moment).total_seconds()))
        for limit, size, key in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h")):
            if seconds < limit:
                return self.t(f"time.{key}", n=seconds // size)
        return self.t("time.d", n=seconds // 86400)

    def lasted(self, seconds: float) -> str:
        """A length of time, in the unit in which it is no large number: 40 s, 12 min, 3 h, 2 d."""
        for limit, size, key in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
            if seconds < limit:
                return self.t(f"time.{key}", n=round(seconds / size))
        return self.t("time.d", n=round(seconds / 86400))

    def iso(self, moment: dt.datetime) -> str:
        """For `datetime` attributes."""
        return moment.isoformat(timespec="seconds")

    @property
    def units(self) -> Mapping[str, str]:
        """The unit texts with `#` for the number, for ages that the browser counts on."""
        return {unit: self.t(f"time.{unit}", n=0).replace("0", "#") for unit in ("s", "min", "h", "d")}


def frame(request: Request) -> Frame:
    """Reads language, user and compound for a request; works for anybody, signed in or not."""
    here = rooms(request)
    identity = identify(request)
    user = identity.user if identity else None
    with here.database.read() as session:
        compound = session.get(Compound, here.compound)
        name, zone = (compound.name, compound.time_zone) if compound else (here.compound, _DEFAULT_ZONE)
    chosen = request.cookies.get(COOKIE) or (user.language if user else None)
    return Frame(
        t=load(negotiate(chosen, request.headers.get("Accept-Language"))),
        user=user,
        csrf=csrf_token(request),
        zone=_zone(zone),
        now=here.clock.now(),
        compound_name=name,
        path=request.url.path,
        theme=theme if (theme := request.cookies.get(THEME_COOKIE)) in THEMES else None,
        proved=recently_proved(request),
    )


def unseen(session: Session, compound: str, now: dt.datetime, language: str) -> Frame:
    """For what is made without a reader, e.g. by a command: in Chinese unless `language` is en."""
    row = session.get(Compound, compound)
    return Frame(
        t=load("en" if language == "en" else "zh_CN"),
        user=None,
        csrf="",
        zone=_zone(row.time_zone if row else _DEFAULT_ZONE),
        now=now,
        compound_name=row.name if row else compound,
        path="",
    )


def render(frame: Frame, template: str, *, status: int = 200, **facts: Any) -> HTMLResponse:
    """A template as a response. Every value in it is escaped."""
    html = text(frame, template, **facts)
    return HTMLResponse(html, status, headers={"Vary": "Accept-Language, Cookie"})


def text(frame: Frame, template: str, **facts: Any) -> str:
    """The same as text, for what is kept or sent otherwise."""
    return _environment.get_template(template).render(frame=frame, t=frame.t, **facts)


def is_fragment(request: Request) -> bool:
    """Whether a part of a page is asked for rather than the page."""
    return request.headers.get("HX-Request") == "true"


def error_page(request: Request, status: int, code: str) -> HTMLResponse:
    """What people see instead of a problem detail."""
    view = frame(request)
    known: Iterable[str] = (f"problem.{code}", f"problem.{status}", "problem.other")
    key = next(key for key in known if key in view.t.keys)
    return render(view, "error.html", status=status, number=status, message=view.t(key), code=code)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(_DEFAULT_ZONE)
