"""Fuzzing with hypothesis: messages made of an adapter's own words, then bent and cut."""

import json
import random
import time
import traceback

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from devices.adapters import ADAPTERS
from devices.adapters.contract import Adapter, Incoming
from tests.devices.adapters.test_contract import check, topic_of, wire_values
from tests.fuzz import CONTENT_TYPES

EXAMPLES = 400


def run(seconds: float, first_seed: int, only: str | None) -> int:
    """Goes round the adapters until the time is over; 1 when a promise was broken."""
    ends = time.monotonic() + seconds
    adapters = [adapter for adapter in ADAPTERS.values() if only in {None, adapter.name}]
    number, decoded = first_seed, 0
    while time.monotonic() < ends:
        for adapter in adapters:
            number += 1
            try:
                decoded += _round(adapter, number)
            except Exception:  # noqa: BLE001 - whatever it is, it is what was looked for
                traceback.print_exc()
                print(f"adapter {adapter.name}, seed {number}")
                return 1
            if time.monotonic() >= ends:
                break
    print(f"hypothesis: {decoded} messages to {len(adapters)} adapters, nothing found")
    return 0


def _round(adapter: Adapter, number: int) -> int:
    count = 0

    @seed(number)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def look(data: st.DataObject) -> None:
        nonlocal count
        count += 1
        body = json.dumps(data.draw(wire_values(adapter)), default=str).encode()
        if data.draw(st.booleans()):
            body = bent(body, data.draw(st.integers(0, 2**32)))
        topic = data.draw(st.sampled_from([*map(topic_of, adapter.topics), ""]) | st.text(max_size=30))
        check(adapter, Incoming(topic, body, data.draw(st.sampled_from(CONTENT_TYPES))))

    look()
    return count


def bent(body: bytes, number: int) -> bytes:
    """The body with a few bytes changed, cut, doubled or put in."""
    chance = random.Random(number)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body) + 1)
        match chance.randrange(4):
            case 0:
                body = body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
            case 1:
                body = body[:at]
            case 2:
                body = body[:at] + body[at : at + chance.randint(1, 20)] + body[at:]
            case _:
                body = (
                    body[:at] + chance.choice([b"\0", b"\xff", b'"', b"{", b"\xef\xbb\xbf", b"-"]) + body[at:]
                )
    return body
