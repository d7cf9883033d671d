"""Signed webhooks: an incident as JSON to somebody's own program; nothing that names a person.

The signature is made as Standard Webhooks makes it, over id, time and body, so that whoever receives
it can tell ours from others', old ones from new ones, and the second of two from the first.
"""

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable
from typing import Any, ClassVar, Final

import msgspec

from alerts.notify.channels.channel import Address, Letter, Outcome, Result
from alerts.notify.channels.outward import Outward
from alerts.notify.models import ChannelKind

ID_HEADER: Final = "Ringward-Id"
TIME_HEADER: Final = "Ringward-Timestamp"
SIGNATURE_HEADER: Final = "Ringward-Signature"
SECRET_MIN: Final = 16

# What may be said of an incident to a machine outside: codes and places, whatever else was asked for.
_SAID: Final = ("ring", "zone", "kind", "state", "building", "rule")


class Webhook:
    """Posts a letter to a URL, signed with the contact's secret."""

    kind: ClassVar[ChannelKind] = ChannelKind.WEBHOOK
    stays_inside: ClassVar[bool] = False

    def __init__(self, outward: Outward, now: Callable[[], dt.datetime]) -> None:
        self._outward = outward
        self._now = now

    async def send(self, to: Address, letter: Letter) -> Outcome:
        if to.secret is None or len(to.secret) < SECRET_MIN:
            return Outcome(Result.REFUSED, "no_secret")
        body = content(letter)
        # Of the notification and not of the try: a second try is the same thing to whoever receives it.
        name = letter.notification
        at = str(int(self._now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Ringward",
            ID_HEADER: name,
            TIME_HEADER: at,
            SIGNATURE_HEADER: signature(to.secret, name, at, body),
        }
        return await self._outward.post(to.address, body, headers)


def signature(secret: str, name: str, at: str, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256 of `id.timestamp.body` in hex; `at` is Unix time in seconds."""
    signed = b".".join((name.encode(), at.encode(), body))
    return f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def content(letter: Letter) -> bytes:
    """The body; its fields are described in docs/integrators-guide.md."""
    said: dict[str, Any] = {
        "id": letter.notification,
        "type": f"ringward.{letter.purpose}",
        "compound": letter.compound,
        "incident": letter.incident,
        "severity": letter.severity,
        "drill": letter.drill,
    }
    for name in _SAID:
        value = letter.arguments.get(name)
        said[name] = value if isinstance(value, str) else None
    return msgspec.json.encode(said)
