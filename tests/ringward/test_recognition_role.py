"""The recognition role, without its models and its bus."""

import asyncio

import pytest

import recognition.engines
import recognition.plates
import recognition.work.worker
from ringward.foundation import Foundation
from ringward.roles import RecognitionRole
from tests.support.waiting import until


@pytest.fixture
def role(ground: Foundation, monkeypatch: pytest.MonkeyPatch) -> RecognitionRole:
    class Engine:
        name, version, dimension = "dlib", "test", 4

    monkeypatch.setattr(recognition.engines, "DlibEngine", Engine)
    monkeypatch.setattr(recognition.plates, "OnnxPlateReader", lambda: None)
    return RecognitionRole(ground)


async def test_galleries_are_read_again_without_events_and_after_a_failure(role, monkeypatch):
    """An erased person leaves memory although nobody passes and the database was away for a moment."""
    asked = []

    def refresh() -> None:
        asked.append(len(asked))
        if len(asked) == 1:
            raise OSError

    monkeypatch.setattr(recognition.work.worker, "REFRESH_S", 0.001)
    monkeypatch.setattr(role._worker, "refresh", refresh)
    task = asyncio.create_task(role._refresh())
    await until(lambda: len(asked) > 2, "the worker refreshes")
    task.cancel()
