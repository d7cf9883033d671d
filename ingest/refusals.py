"""What is refused: kept as a dead letter, and its sender told that it need not send it again."""

from typing import Any

import structlog

from bus import deadletters
from bus.embedded import device_of
from devices.adapters.contract import Adapter, HttpReply, Incoming, Outgoing, RefusedError
from devices.directory import DeviceFacts
from devices.roots import rooted
from ingest.arrival import Arrival, Settled
from ingest.batch import Batch
from ingest.routes import Route

log = structlog.get_logger(__name__)


def refuse(
    batch: Batch,
    arrival: Arrival,
    route: Route | None,
    refused: RefusedError,
    speaker: DeviceFacts | None = None,
) -> Settled:
    """Makes a dead letter and the answer; without a route nobody is answered.

    `speaker` is the device, where the message itself and not the topic told.
    """
    compound, device_id = device_of(arrival.topic)
    known = speaker or (route.device if route is not None else None)
    if known is not None:
        compound, device_id = known.compound, known.device_id
    device_id = device_id or arrival.signed_in
    _keep(batch, arrival, route, refused, compound, device_id)
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


def _keep(
    batch: Batch,
    arrival: Arrival,
    route: Route | None,
    refused: RefusedError,
    compound: str | None,
    device_id: str | None,
) -> None:
    source = "mqtt" if arrival.signed_in is None else "http"
    sender = device_id or arrival.topic
    alone = not batch.is_live or batch.flood.letter_of_its_own(sender, refused.reason, arrival.received_at)
    context: dict[str, Any] = {}
    if arrival.content_type:
        context["content_type"] = arrival.content_type
    if arrival.signed_in is not None:
        context["signed_in"] = arrival.signed_in
    if arrival.retained:
        context["retained"] = True
    if alone:
        known_by = deadletters.fingerprint(source, refused.reason, sender, arrival.topic, raw=arrival.payload)
        log.warning("ingest.refused", reason=refused.reason, size=len(arrival.payload))
    else:
        # Its bytes are one example of many: the others are only counted.
        known_by = deadletters.fingerprint(source, refused.reason, sender, "many")
        context["many"] = True
    batch.letters.append(
        deadletters.letter(
            source,
            refused.reason,
            arrival.received_at,
            detail=refused.detail,
            topic=arrival.topic,
            compound=compound,
            device_id=device_id,
            adapter=route.adapters[0].name if route is not None else None,
            raw=arrival.payload,
            known_by=known_by,
            context=context,
        )
    )


def incoming(route: Route, arrival: Arrival) -> Incoming:
    """What an adapter is given of an arrival."""
    return Incoming(route.topic, arrival.payload, arrival.content_type, arrival.retained)


def as_known(answer: Outgoing, adapter: Adapter, root: str | None) -> Outgoing:
    """The answer under the root that the gateway is configured to have."""
    if root is None:
        return answer
    return Outgoing(rooted(answer.topic, adapter, root), answer.payload, answer.qos)
