"""Errands made into letters: each in its receiver's language, the same words found once."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from alerts.notify.channels.channel import Letter
from alerts.notify.claims import Errand
from alerts.notify.letters import Answerable, Told, Words

log = structlog.get_logger(__name__)

_SHORTEST_TTL_S: Final = 60
_LONGEST_TTL_S: Final = 86_400
_USUAL_TTL_S: Final = 3_600

_Said = tuple[str, str, str | None]


def written(words: Words, errands: Sequence[Errand], now: dt.datetime) -> list[Letter]:
    """A letter for each errand, in their order."""
    said: dict[str, _Said] = {}
    replies: dict[str, Mapping[str, str]] = {}
    letters = []
    for errand in errands:
        told = errand.told
        # Many hear the same in the same words.
        same = f"{errand.language} {dataclasses.replace(told, notification='', asked_at=now)!r}"
        if same not in said:
            said[same] = _say(words, told, errand.language)
            replies[same] = _replies(words, told, errand.language)
        letters.append(_letter(errand, said[same], replies[same], now))
    return letters


def _letter(errand: Errand, said: _Said, replies: Mapping[str, str], now: dt.datetime) -> Letter:
    told = errand.told
    title, body, path = said
    left = (errand.expires_at - now).total_seconds() if errand.expires_at else _USUAL_TTL_S
    return Letter(
        notification=errand.notification,
        attempt=errand.attempt,
        purpose=told.purpose,
        severity=told.severity,
        title=title,
        body=body,
        language=errand.language,
        path=path,
        tag=told.incident or told.dispatch or errand.notification,
        incident=told.incident,
        compound=told.compound,
        drill=told.drill,
        dispatch=told.dispatch if replies else None,
        replies=replies,
        ttl_s=int(min(max(left, _SHORTEST_TTL_S), _LONGEST_TTL_S)),
        arguments=told.arguments,
    )


def _say(words: Words, told: Told, language: str) -> _Said:
    try:
        return words.letter(told, language)
    except Exception:
        # Words that fail keep nobody from hearing that something is wrong.
        log.exception("notify.words_failed", purpose=told.purpose.value)
        return "Ringward", told.purpose.value, None


def _replies(words: Words, told: Told, language: str) -> Mapping[str, str]:
    if told.dispatch is None or not isinstance(words, Answerable):
        return {}
    try:
        return words.replies(told, language)
    except Exception:
        log.exception("notify.words_failed", purpose=told.purpose.value)
        return {}
