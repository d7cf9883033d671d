"""The bus: whether streams and consumers are there and as they should be, and what they have before them."""

import asyncio
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final

import nats
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo, StreamInfo
from nats.js.errors import NotFoundError

from bus import lanes
from bus.address import BusAddress
from bus.broker import stream as wanted_stream
from bus.subjects import STREAM, STREAM_SUBJECTS
from ringward.checkup.finding import Finding
from ringward.measures.bus import ONCE, PATIENCE_S, BusMeasures
from ringward.measures.definitions import CONSUMER_AGE

OLD_S: Final = 120.0


def findings(address: BusAddress) -> Iterator[Finding]:
    """Of a bus that is to be there. Asks for no longer than some seconds."""
    try:
        yield from asyncio.run(_look(address))
    except Exception as error:  # noqa: BLE001 - whatever nats-py says, it is the answer
        advice = "Is nats-server running at this address, and are user, password and certificate right?"
        yield Finding("bus", False, type(error).__name__, advice)


async def _look(address: BusAddress) -> list[Finding]:
    async with asyncio.timeout(2 * PATIENCE_S):
        client = await nats.connect(address.servers, **address.options() | ONCE)
        measures = BusMeasures(address)
        try:
            jetstream = client.jetstream(timeout=PATIENCE_S)
            found = [Finding("bus", True, f"nats-server {client.connected_server_version}, JetStream")]
            try:
                info = await jetstream.stream_info(STREAM)
            except NotFoundError:
                advice = "The role `relay` makes it at its start."
                return [*found, Finding("stream", False, f"{STREAM} is not there yet", advice)]
            found.append(_stream(info, address))
            found += await _consumers(jetstream)
            now = dt.datetime.now(dt.UTC)
            ages = {
                one.labels["consumer"]: one.value
                for one in await measures.take(now)
                if one.measure is CONSUMER_AGE
            }
            return [*found, *_waiting(ages)]
        finally:
            await measures.close()
            await client.close()


def _stream(info: StreamInfo, address: BusAddress) -> Finding:
    """Set as this version sets it, and whole on every server that is to have it."""
    advice = "A process with the role `relay` of this version puts it right at its start."
    wanted, held = wanted_stream().config, info.config
    odd = [
        name
        for name, is_right in (
            ("subjects", set(held.subjects or ()) >= set(STREAM_SUBJECTS)),
            ("max_age", held.max_age == wanted.max_age),
            ("storage", held.storage == wanted.storage),
            ("discard", held.discard == wanted.discard),
            ("copies", (held.num_replicas or 1) == address.replicas),
        )
        if not is_right
    ]
    seen = (
        f"{info.state.messages} messages, {info.state.bytes // 1024**2} MB, {held.num_replicas or 1} copies"
    )
    if odd:
        return Finding("stream", False, f"{seen}; not as it should be: {', '.join(odd)}", advice)
    peers = info.cluster.replicas or [] if info.cluster else []
    behind = [peer.name for peer in peers if not peer.current]
    if behind:
        advice = "Look for that nats-server; restart no other one before it has caught up."
        return Finding(
            "stream", False, f"{seen}; {len(behind)} copies are not up to date", advice, grave=False
        )
    return Finding("stream", True, seen)


async def _consumers(jetstream: JetStreamContext) -> list[Finding]:
    """The lanes of recognition: what is missing there is looked at by nobody."""
    there = {one.name: one for one in await jetstream.consumers_info(STREAM)}
    return [_lane(lane, there.get(lane.durable)) for lane in lanes.RECOGNITION]


def _lane(lane: lanes.Lane, found: ConsumerInfo | None) -> Finding:
    name = f"consumer {lane.durable}"
    advice = "A process with the role `relay` or `recognition` of this version puts it right at its start."
    if found is None:
        return Finding(name, False, "is not there", advice)
    held, wanted = found.config, lane.config()
    filters: Sequence[str] = held.filter_subjects or ([held.filter_subject] if held.filter_subject else [])
    odd = [
        what
        for what, is_right in (
            ("filters", set(filters) == set(lane.filters)),
            ("ack_wait", held.ack_wait == wanted.ack_wait),
            ("max_deliver", held.max_deliver == wanted.max_deliver),
        )
        if not is_right
    ]
    seen = f"{found.num_pending or 0} messages before it, {found.num_ack_pending or 0} in hand"
    if odd:
        return Finding(name, False, f"{seen}; not as it should be: {', '.join(odd)}", advice)
    return Finding(name, True, seen)


def _waiting(ages: dict[str, float]) -> Iterator[Finding]:
    late = {name: age for name, age in ages.items() if age > OLD_S}
    seen = ", ".join(f"{name} for {age:.0f} s" for name, age in sorted(late.items())) or "no message is old"
    advice = "Their processes do not run, or fail at each message: see their logs (`bus.handler_failed`)."
    yield Finding("consumers", not late, seen, advice, grave=False)
