"""Waiting for what another thread or process does: on a condition, up to a deadline."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

# Only a failing test waits this long; a machine full of others must not make one fail.
DEADLINE_S = 60.0
_STEP_S = 0.01


def holds_within(condition: Callable[[], Any], deadline_s: float, step_s: float = _STEP_S) -> bool:
    """Whether the condition holds in time, for whoever says himself what that means."""
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step_s)
    return True


def wait_until(condition: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    """The condition's first true value; fails the test when there is none in time."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:g} s: {what}")
        time.sleep(_STEP_S)


async def until(condition: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    """`wait_until` for a test that is a coroutine."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:g} s: {what}")
        await asyncio.sleep(_STEP_S)
