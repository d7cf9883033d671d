"""Logs go to standard error, wherever that is now."""

import io
import sys

import pytest
import structlog

from ringward import logs


def test_a_kept_logger_writes_to_the_standard_error_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    before = structlog.get_config()
    kept = structlog.get_logger("kept")
    try:
        first, second = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stderr", first)
        logs.configure("info", "json")
        kept.info("one.thing")
        first.close()
        monkeypatch.setattr(sys, "stderr", second)
        kept.info("another.thing", count=2)
        assert '"event": "another.thing"' in second.getvalue()
        assert '"count": 2' in second.getvalue()
    finally:
        structlog.configure(**before)
