"""A question that can be answered on the lock screen: what is pushed for it, and that it still fits."""

import datetime as dt

import msgspec
import pytest

from alerts.notify.channels.channel import Letter
from alerts.notify.channels.webpush import PADDED, _content
from alerts.notify.letters import Answerable, Told
from alerts.notify.models import ChannelKind, Purpose
from console.letters import LetterWords
from storage import Database

NOW = dt.datetime(2026, 11, 23, 7, tzinfo=dt.UTC)


def told(purpose: Purpose) -> Told:
    return Told(
        notification="n", compound="c", purpose=purpose, severity=1, asked_at=NOW,
        kind=ChannelKind.WEB_PUSH, incident="i", dispatch="d-1",
    )  # fmt: skip


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_only_an_offer_can_be_answered_unopened(database: Database, language: str) -> None:
    words = LetterWords(database)
    assert isinstance(words, Answerable)
    replies = words.replies(told(Purpose.OFFER), language)
    assert {"accept", "decline", "taken", "waiting"} <= set(replies)
    assert all(replies.values())
    for purpose in Purpose:
        if purpose is not Purpose.OFFER:
            assert words.replies(told(purpose), language) == {}


def test_pushed_question_names_its_dispatch_and_still_fits(database: Database) -> None:
    replies = LetterWords(database).replies(told(Purpose.OFFER), "zh-CN")
    letter = Letter(
        notification="n" * 32, attempt="a" * 32, purpose=Purpose.OFFER, severity=1, title="重" * 60,
        body="话" * 300, path="/phone", tag="i" * 32, dispatch="d" * 32, replies=replies,
    )  # fmt: skip
    content = _content(letter)
    assert (content["dispatch"], content["words"]["accept"]) == ("d" * 32, "接单")
    assert len(msgspec.json.encode(content)) <= PADDED


def test_letter_without_an_answer_names_no_dispatch() -> None:
    letter = Letter("n", "a" * 32, Purpose.TEST, 3, "title", "body", dispatch="d-1")
    assert not {"dispatch", "words"} & set(_content(letter))
