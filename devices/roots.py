"""The root of a gateway's topics: its vendor's default, or a branch of its own at our broker."""

from typing import Final

from devices.adapters.contract import Adapter
from devices.directory import DeviceFacts

GATEWAYS: Final = "rw/gw"
"""`rw/gw/{device}/…`: a gateway whose root is configured to be its own, so that two of one kind
share a broker and each is held to its own branch."""


def root_of(gateway: DeviceFacts, adapter: Adapter) -> str | None:
    """What stands in place of the vendor's default root; None where the default is used.

    A gateway whose registered name is the default root itself uses it; any other has its own.
    """
    if adapter.root is None or gateway.external_id == adapter.root:
        return None
    return f"{GATEWAYS}/{gateway.device_id}"


def rooted(topic: str, adapter: Adapter, root: str | None) -> str:
    """A topic with the vendor's default root, as this gateway knows it."""
    if root is None or adapter.root is None:
        return topic
    head, _, rest = topic.partition("/")
    return f"{root}/{rest}" if head == adapter.root else topic
