"""Every way to reach somebody, opened for one process."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from alerts.notify.channels.channel import Channel
from alerts.notify.channels.chats import Chats
from alerts.notify.channels.outward import Outward
from alerts.notify.channels.pages import ControlRoom, PhonePage, Telephone
from alerts.notify.channels.pushkeys import load_or_make, public_key
from alerts.notify.channels.sirens import Sirens
from alerts.notify.channels.webhook import Webhook
from alerts.notify.channels.webpush import WebPush
from alerts.notify.models import ChannelKind
from alerts.plans import Plan, default_plans
from alerts.plans import read as read_plans
from ringward.foundation import Foundation

PUSH_DEADLINE_S: Final = 10.0


def build(foundation: Foundation) -> Mapping[ChannelKind, Channel]:
    """One of each kind. They belong to the event loop that first sends by them."""
    settings, clock = foundation.settings, foundation.clock
    outward = Outward(settings.receiver_networks, deadline_s=PUSH_DEADLINE_S)
    plans = _plans(settings.plans_file)
    channels: tuple[Channel, ...] = (
        WebPush(outward, load_or_make(settings.push_key_file), settings.push_sender, clock.now),
        PhonePage(),
        ControlRoom(),
        Telephone(),
        Sirens(foundation.database, clock, plans=plans),
        Chats(settings.receiver_networks),
        Webhook(outward, clock.now),
    )
    return {channel.kind: channel for channel in channels}


def _plans(path: Path | None) -> Callable[[], Sequence[Plan]]:
    if path is None:
        return default_plans
    own = read_plans(path.read_text(encoding="utf-8"))
    return lambda: own


def push_key(foundation: Foundation) -> str:
    """The public key that browsers subscribe with."""
    return public_key(load_or_make(foundation.settings.push_key_file))
