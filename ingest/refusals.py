"""What is refused: kept as a dead letter, and its sender told that it need not send it again."""

import structlog

from bus import deadletters
from bus.embedded import device_of
from devices.adapters.contract import Adapter, HttpReply, Incoming, Outgoing, RefusedError
from devices.roots import rooted
from ingest.arrival import Arrival, Settled
from ingest.batch import Batch
from ingest.routes import Route

log = structlog.get_logger(__name__)


def refuse(batch: Batch, arrival: Arrival, route: Route | None, refused: RefusedError) -> Settled:
    """Makes a dead letter and the answer; without a route nobody is answered."""
    compound, device_id = device_of(arrival.topic)
    known = route.device if route is not None else None
    if known is not None:
        compound, device_id = known.compound, known.device_id
    log.warning("ingest.refused", reason=refused.reason, size=len(arrival.payload))
    batch.letters.append(
        deadletters.letter(
            "mqtt" if arrival.signed_in is None else "http",
            refused.reason,
            arrival.received_at,
            detail=refused.detail,
            topic=arrival.topic,
            compound=compound,
            device_id=device_id or arrival.signed_in,
            raw=arrival.payload,
            context={"content_type": arrival.content_type} if arrival.content_type else None,
        )
    )
    if route is None:
        return Settled(refused=refused.reason)
    answers: list[Outgoing] = []
    reply: HttpReply | None = None
    message = incoming(route, arrival)
    for adapter in route.adapters:
        told = adapter.refused(message, refused.reason)
        answers += [as_known(answer, adapter, route.root) for answer in told.answers]
        reply = reply or told.reply
    return Settled(tuple(answers), reply, refused.reason)


def incoming(route: Route, arrival: Arrival) -> Incoming:
    """What an adapter is given of an arrival."""
    return Incoming(route.topic, arrival.payload, arrival.content_type, arrival.retained)


def as_known(answer: Outgoing, adapter: Adapter, root: str | None) -> Outgoing:
    """The answer under the root that the gateway is configured to have."""
    if root is None:
        return answer
    return Outgoing(rooted(answer.topic, adapter, root), answer.payload, answer.qos)
