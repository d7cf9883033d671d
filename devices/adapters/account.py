"""An account of one message for a person: what it would become, or why it is refused.

For `ringward decode` and the installer's test bench: pictures as sizes, the rest as it is.
"""

from typing import Any

import msgspec

from devices.adapters.contract import Adapter, Incoming, Outgoing, Reading, RefusedError

MAX_PAYLOAD_SHOWN = 2000


def account(adapter: Adapter, message: Incoming) -> dict[str, Any]:
    """The account as plain JSON values; `refused` is None or {"reason", "detail"}.

    `events` are in our words, `states` what is noted without being an event, `kept` names what
    an event keeps in its attributes beyond them, `dropped` the paths that were taken out unread,
    `answers` what the device is told, `partial` what was not understood beside the rest.
    """
    told: dict[str, Any] = {
        "adapter": adapter.name,
        "sender": None,
        "events": [],
        "states": [],
        "signs": [],
        "results": [],
        "kept": [],
        "dropped": [],
        "ignored": None,
        "partial": None,
        "answers": [],
        "reply": None,
        "refused": None,
    }
    try:
        decoded = adapter.decode(message)
    except RefusedError as refused:
        refusal = adapter.refused(message, refused.reason)
        told["refused"] = _refusal(refused.reason, refused.detail)
        told["answers"] = [_outgoing(answer) for answer in refusal.answers]
        told["reply"] = None if refusal.reply is None else _text(refusal.reply.body)
        return told
    kept = dict.fromkeys(name for reading in decoded.readings for name in reading.attributes)
    told.update(
        sender=decoded.sender,
        events=[_event(reading) for reading in decoded.readings if not reading.rests],
        states=[list(reading.point) for reading in decoded.readings if reading.rests and reading.point],
        signs=msgspec.to_builtins(decoded.signs),
        results=msgspec.to_builtins(decoded.results),
        kept=list(kept),
        dropped=list(decoded.dropped),
        ignored=decoded.ignored,
        partial=_refusal(*decoded.partial) if decoded.partial else None,
        answers=[_outgoing(answer) for answer in decoded.answers],
        reply=None if decoded.reply is None else _text(decoded.reply.body),
    )
    return told


def _refusal(reason: str, detail: str) -> dict[str, str]:
    return {"reason": reason, "detail": detail}


def _event(reading: Reading) -> dict[str, Any]:
    plain = msgspec.structs.asdict(reading)
    plain["pictures"] = [{"role": role, "bytes": len(content)} for role, content in reading.pictures]
    built: dict[str, Any] = msgspec.to_builtins(plain)
    return built


def _outgoing(answer: Outgoing) -> dict[str, Any]:
    return {"topic": answer.topic, "payload": _text(answer.payload)}


def _text(payload: bytes) -> str:
    return payload[:MAX_PAYLOAD_SHOWN].decode("utf-8", "replace")
