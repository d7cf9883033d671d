"""Every address of the application that can be asked for, filled in from the database's rows; and what links add.

So a new page is found by itself, and one whose address cannot be filled in makes itself heard.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urldefrag, urlencode, urlsplit

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy.orm import Session
from starlette.routing import compile_path

from storage import Base

# Of one kind of address so many are asked for: a queue of fifty incidents is one page fifty times.
_ALIKE: Final = 2
_LINK: Final = re.compile(r'\b(?:href|src|data-url|hx-get)="(/[^"]*)"')
# Whose rows a part of an address names, where the plural of its own name is no table's.
_TABLES: Final = {
    "letter_id": "dead_letters", "entry_id": "watchlist_entries", "request_id": "subject_requests",
    "import_id": "import_jobs", "pass_id": "visitor_passes", "person_id": "people", "notification": "notifications",
    "dwelling_id": "dwellings", "household_id": "households", "dispatch_id": "dispatches", "route_id": "patrol_routes",
    "round_id": "patrol_rounds", "point_id": "patrol_checkpoints", "hold_id": "legal_holds",
    "report_id": "intake_reports", "command_id": "device_commands", "contact": "contacts", "trial_id": "rule_trials",
}  # fmt: skip
# Where every row is looked at, however many there are: they differ much.
_ALL: Final = frozenset({"incidents"})
# Answers programs, in JSON.
_API: Final = "/api/"
# Never followed, each with its reason.
LEFT_OUT: Final = {
    "/static": "files of ours",
    "/help/pictures/{name}": "pictures of ours",
    "/language/{tag}": "sends back where one came from; the headers' own test tries it",
    "/api/v1/stream": "does not end; the browser's test follows it",
    "/sign-in/provider": "sends to the provider; there is none here",
    "/sign-in/provider/answer": "as above",
    "/t/{token}.jpg": "gives a picture to a terminal",
}


@dataclass(frozen=True)
class Route:
    path: str
    dependant: Any
    pattern: re.Pattern[str]


class Addresses:
    """What can be asked for by GET."""

    def __init__(self, app: FastAPI, session: Session, words: dict[str, list[str]]) -> None:
        """`words` fills in what is no row's id, by the address' part, or by `path part` for one path."""
        self.routes = list(_routes(app))
        self._words = words
        self._ids = {
            table.name: [str(one) for one in session.scalars(sa.select(*table.primary_key.columns))]
            for table in Base.metadata.sorted_tables
            if len(table.primary_key.columns) == 1
        }

    def filled(self) -> Iterator[str]:
        for route in self.routes:
            if route.path in LEFT_OUT or route.path.startswith(_API):
                continue
            parts = re.findall(r"{(\w+)(?::\w+)?}", route.path)
            for values in itertools.product(*(self._values(route.path, part) for part in parts)):
                filled = route.path
                for value in values:
                    filled = re.sub(r"{[^}]*}", lambda _, v=value: quote(v, safe=""), filled, count=1)
                yield filled

    def _values(self, path: str, part: str) -> list[str]:
        for known in (f"{path} {part}", part):
            if known in self._words:
                return self._words[known]
        table = _TABLES.get(part, f"{part.removesuffix('_id')}s")
        assert self._ids.get(table), f"nothing known for {{{part}}} of {path}"
        return self._ids[table] if table in _ALL else self._ids[table][:_ALIKE]

    def asked_with(self, text: str) -> Iterator[str]:
        """Each address that takes questions after `?`, once with the text in all of them and once each."""
        for route in self.routes:
            names = [p.alias for d in _dependants(route.dependant) for p in d.query_params]
            if (
                names
                and "{" not in route.path
                and route.path not in LEFT_OUT
                and not route.path.startswith(_API)
            ):
                yield f"{route.path}?{urlencode(dict.fromkeys(names, text))}"
                yield from (f"{route.path}?{urlencode({name: text})}" for name in names)

    def kind(self, link: str) -> str:
        """The route that an address leads to."""
        path = urlsplit(link).path
        return next((route.path for route in self.routes if route.pattern.match(path)), path)


def walk(addresses: Addresses, client: TestClient, start: list[str]) -> Iterator[tuple[str, Response]]:
    """Asks for each address and for what its pages lead to, each kind of link twice."""
    kinds: Counter[Any] = Counter()
    waiting, known = list(start), set(start)
    while waiting:
        link = waiting.pop(0)
        answer = client.get(link)
        yield link, answer
        further = [answer.headers["location"]] if answer.is_redirect else []
        if answer.headers.get("content-type", "").startswith("text/html"):
            further = _LINK.findall(answer.text)
        for one in dict.fromkeys(urldefrag(unescape(one))[0] for one in further):
            route = addresses.kind(one)
            kind = (route, *sorted(name for name, _ in parse_qsl(urlsplit(one).query)))
            if one in known or route in LEFT_OUT or route.startswith(("/static", _API)):
                continue
            kinds[kind] += 1
            if kinds[kind] <= _ALIKE:
                known.add(one)
                waiting.append(one)


def _routes(router: Any, prefix: str = "") -> Iterator[Route]:
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _routes(inner, prefix + route.include_context.prefix)
        elif "GET" in (getattr(route, "methods", None) or ()) and hasattr(route, "dependant"):
            path = prefix + route.path
            yield Route(path, route.dependant, compile_path(path)[0])


def _dependants(dependant: Any) -> Iterator[Any]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _dependants(inner)
