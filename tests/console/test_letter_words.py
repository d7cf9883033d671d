"""Every purpose has words in both languages, says an exercise to be one, and names nobody."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute, Match

from alerts.duty.models import TeamKind
from alerts.incidents.models import Incident
from alerts.notify.letters import Told
from alerts.notify.models import ChannelKind, Purpose
from console.letters import PATHS, LetterWords
from console.texts import load
from storage import Database

AT = dt.datetime(2026, 11, 23, 7, 0, tzinfo=dt.UTC)
LANGUAGES = ("zh-CN", "en")
WHOLE = {
    "kind": "door.forced", "place": "3幢", "at": AT.isoformat(), "until": AT.isoformat(),
    "due": AT.isoformat(), "route": "北环", "count": 3,
}  # fmt: skip


def told(purpose: Purpose, **changes: object) -> Told:
    facts = Told("n-1", "honghua", purpose, 2, AT, ChannelKind.WEB_PUSH)
    return replace(facts, **changes)


@pytest.fixture
def words(database: Database, world: SimpleNamespace) -> LetterWords:
    return LetterWords(database)


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("arguments", [{}, WHOLE], ids=["bare", "whole"])
def test_every_purpose_is_said_in_words_and_not_in_keys(
    words: LetterWords, purpose: Purpose, language: str, arguments: dict
) -> None:
    title, body, path = words.letter(told(purpose, arguments=arguments), language)

    assert title
    assert body
    assert "letter." not in title + body
    assert "%(" not in title + body
    assert path is not None
    assert path.startswith("/")


WHYS = {
    Purpose.ESCALATION: [{"reason": "unreached", "count": 3}, {"step": "telephone_team"}],
    Purpose.INCIDENT: [
        {"again": True},
        {"count": 4},
        {"why": "dispute_follow_up", "path": "/console/disputes"},
    ],
    Purpose.OFFER: [{"you_lead": True}],
    Purpose.TAKEN: [{"second_wanted": True}],
    Purpose.CALLED_OFF: [{"why": "violence"}],
    Purpose.HELP: [{"why": "no_answer"}],
    Purpose.SHIFT: [
        {"why": why}
        for why in ("ahead", "soon", "begins", "ends", "changed", "removed", "added", "checked_out")
    ],
    Purpose.SWAP: [
        {"why": why}
        for why in ("taken_over", "declined", "withdrawn", "to_approve", "refused", "done", "expired")
    ],
    Purpose.ROSTER_GAP: [{"why": "gap_soon"}],
    Purpose.REVIEW: [{"why": "low_score"}, {"why": "review_late"}],
    Purpose.MEASURE: [{"why": "measure_late"}, {"why": "measure_still_late"}],
    Purpose.HANDOVER: [{"why": "handover_unsigned"}],
    Purpose.PATROL: [{"why": why} for why in ("nobody", "missed", "aborted")],
}


@pytest.mark.parametrize("purpose", WHYS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("bare", [True, False])
def test_why_it_is_told_is_said_in_words_of_its_own(
    words: LetterWords, purpose: Purpose, language: str, bare: bool
) -> None:
    """A duty that was taken away must not read like one that was given."""
    whole = {} if bare else {name: value for name, value in WHOLE.items() if name != "count"}
    titles = {words.letter(told(purpose, arguments=whole), language)[0]}
    for why in WHYS[purpose]:
        title, body, _ = words.letter(told(purpose, arguments=whole | why), language)
        assert "letter." not in title + body
        assert "%(" not in title + body
        titles.add(title)

    assert len(titles) == 1 + len(WHYS[purpose])


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_reported_something_hears_what_came_of_it(words: LetterWords, language: str) -> None:
    bodies = {
        words.letter(told(Purpose.REPORT, arguments=WHOLE | {"stage": stage}), language)[1]
        for stage in ("seen", "coming", "done", "nothing")
    }

    assert len(bodies) == 4
    assert not any(stage in "".join(bodies) for stage in ("report_stage", "nothing_"))


@pytest.mark.parametrize("purpose", Purpose)
def test_every_letter_leads_to_a_page_that_there_is(
    words: LetterWords, purpose: Purpose, app: FastAPI
) -> None:
    for kind in (ChannelKind.WEB_PUSH, ChannelKind.CONSOLE):
        for arguments in [{}, *WHYS.get(purpose, [])]:
            facts = told(purpose, kind=kind, incident="i-1", arguments=arguments)
            path = words.letter(facts, "en")[2] or ""
            scope = {"type": "http", "method": "GET", "path": path.partition("?")[0]}
            found = {route.matches(scope)[0] for route in flat(app.routes)}
            assert Match.FULL in found, path


def flat(routes: list) -> Iterator[BaseRoute]:
    """All pages, whichever way one router includes another."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from flat(inner.routes)
        elif getattr(route, "path", "").startswith(("/phone", "/console")):
            yield route


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize(("language", "word"), [("zh-CN", "演练"), ("en", "drill")])
def test_an_exercise_is_said_to_be_one_in_title_and_body(
    words: LetterWords, purpose: Purpose, language: str, word: str
) -> None:
    title, body, _ = words.letter(told(purpose, arguments=WHOLE, drill=True), language)
    real_title, real_body, _ = words.letter(told(purpose, arguments=WHOLE), language)

    assert word in title.lower()
    assert word in body.lower()
    assert word not in (real_title + real_body).lower()


@pytest.mark.parametrize("purpose", Purpose)
def test_nothing_but_the_blanks_of_a_letter_is_ever_said(words: LetterWords, purpose: Purpose) -> None:
    bad = WHOLE | {
        "name": "张三丰",
        "plate": "云M12345",
        "person": "p-77",
        "note": "秘密",
        "kind": "door.forced",
    }

    said = "".join(str(part) for part in words.letter(told(purpose, arguments=bad), "zh-CN"))

    assert not any(word in said for word in ("张三丰", "云M12345", "p-77", "秘密"))


def test_kind_and_place_come_from_the_incident(
    words: LetterWords, database: Database, world: SimpleNamespace
) -> None:
    with database.write() as session:
        session.get_one(Incident, world.raised).kind = "door.forced"

    title, body, _ = words.letter(told(Purpose.INCIDENT, incident=world.raised), "zh-CN")

    assert load("zh_CN")("kind.door.forced") in title
    assert "gate" in body


def test_times_are_said_in_the_compounds_own_zone(words: LetterWords) -> None:
    _, body, _ = words.letter(told(Purpose.SHIFT, arguments=WHOLE), "zh-CN")

    assert "15:00:00" in body


@pytest.mark.parametrize(("team", "advised"), [(TeamKind.VOLUNTEER_POLICE, True), (TeamKind.OPERATOR, False)])
def test_whoever_comes_is_told_how_to_stay_safe(words: LetterWords, team: TeamKind, advised: bool) -> None:
    advice = load("zh_CN")("advice.door.forced")

    _, body, _ = words.letter(told(Purpose.OFFER, arguments=WHOLE, team=team), "zh-CN")

    assert (advice in body) is advised


def test_a_letter_that_stands_for_others_says_how_many(words: LetterWords) -> None:
    _, body, _ = words.letter(told(Purpose.INCIDENT, arguments=WHOLE, more=7), "en")

    assert "7 more" in body


@pytest.mark.parametrize("path", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere", 7])
def test_a_letter_leads_nowhere_but_to_the_console(words: LetterWords, path: object) -> None:
    _, _, leads = words.letter(told(Purpose.TEST, arguments={"path": path}), "en")

    assert leads == "/phone/notifications"


def test_who_sits_at_a_desk_is_led_to_the_incident_and_a_phone_to_its_page(words: LetterWords) -> None:
    desk = told(Purpose.INCIDENT, incident="i-1", team=TeamKind.OPERATOR)
    phone = told(Purpose.INCIDENT, incident="i-1", team=TeamKind.GUARD)

    assert words.letter(desk, "en")[2] == "/console?incident=i-1"
    assert words.letter(phone, "en")[2] == "/phone"


def test_every_purpose_leads_somewhere() -> None:
    assert set(PATHS) == set(Purpose)
