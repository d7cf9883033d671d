"""The parts of a report, each made when it is asked for: the first is there at once, the rest follows."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from alerts.reporting import gathering
from console.context import Rooms
from console.figures import answers, devices, incidents, recognition, work, wrongness
from console.figures.choice import Choice
from console.figures.document import Document, Section
from console.figures.ground import Ground
from console.pages.places import names
from console.pages.view import Frame

PARTS: Final = ("incidents", "answers", "wrongness", "devices", "recognition", "work", "drills")
"""In the order in which they stand; the first is on the page when it opens."""

_Maker = Callable[[Ground], list[Section]]


def _exercises(ground: Ground) -> list[Section]:
    return [answers.drills(replace(ground, scope=replace(ground.scope, drill=True)))]


_MAKERS: Final[dict[str, _Maker]] = {
    "incidents": lambda ground: [incidents.section(ground)],
    "answers": lambda ground: [answers.section(ground)],
    "wrongness": lambda ground: [wrongness.section(ground), wrongness.held(ground)],
    "devices": devices.sections,
    "recognition": lambda ground: [recognition.section(ground)],
    "work": lambda ground: [work.rounds(ground), work.measures(ground), work.letters(ground)],
    "drills": _exercises,
}


def parts(choice: Choice) -> tuple[str, ...]:
    """Which parts a choice has: exercises only where they are asked for."""
    return tuple(part for part in PARTS if part != "drills" or choice.drills)


@contextlib.contextmanager
def ground(here: Rooms, view: Frame, choice: Choice) -> Iterator[Ground]:
    """What parts are made from, while the database is read."""
    with here.database.read() as session:
        scope = choice.scope(here.compound, view.zone, view.now)
        yield Ground(view, session, choice, scope, names(session, here.compound))


def made(on: Ground, wanted: Sequence[str]) -> list[Section]:
    """The sections of these parts, in order."""
    return [section for part in wanted for section in _MAKERS[part](on)]


def kinds(here: Rooms) -> list[str]:
    """The kinds that a report can be narrowed to."""
    with here.database.read() as session:
        return gathering.kinds(session, here.compound)


def document(here: Rooms, view: Frame, choice: Choice) -> Document:
    """All of it, for paper and for sheets."""
    with ground(here, view, choice) as on:
        sections = made(on, parts(choice))
    return Document(
        view.t("stats.title"),
        facts(view, choice),
        sections,
        foot=view.t("month.nobody"),
    )


def facts(view: Frame, choice: Choice) -> list[str]:
    """Of which compound and days, what it is narrowed to, and when it was made."""
    t = view.t
    narrowed = [
        t.code("ring", choice.ring),
        t.code("severity", str(choice.severity)) if choice.severity else "",
        t.code("kind", choice.kind),
    ]
    named = [one for one in narrowed if one]
    return [
        f"{view.compound_name} · {view.day(choice.first)} – {view.day(choice.last)}",
        *([t("stats.only", what=t("list.comma").join(named))] if named else []),
        t("stats.made_at", at=f"{view.now.astimezone(view.zone):%Y-%m-%d %H:%M}"),
    ]
