"""Real-name terminals of building sites (实名制) by jsske, used at compounds' service gates.

Of their protocol only the topics are public: `mqtt/device/{code}/{id}` for commands, `…/Rec` and
`…/Ack` below it, `mqtt/device/{code}/heartbeat` every 60 s and `mqtt/device/{code}/basic`. Topics
and their names are those of the facesluice family with one level more, so messages are read and
answered in that family's grammar; what is said otherwise is refused and lies with the dead letters.
No command is offered: none is documented, and a door is not opened on a guess.
"""

from collections.abc import Mapping
from typing import ClassVar, Final

from devices.adapters.contract import Order, Outgoing, Rights, UnsupportedError
from devices.adapters.facesluice import FIELDS, SHARED, FacesluiceAdapter, Place, is_level

ROOT: Final = "mqtt/device"
_LEVELS: Final = tuple(ROOT.split("/"))


class JsskeAdapter(FacesluiceAdapter):
    """External ids are `{code}:{id}`: two sites may both have a terminal 1."""

    name = "jsske"
    title = "jsske real-name terminals"
    aliases = ("jsske_mqtt",)
    topics = (
        f"{ROOT}/+/heartbeat", f"{ROOT}/+/basic", f"{ROOT}/+/+/Rec", f"{ROOT}/+/+/Ack", f"{ROOT}/+/+/ack",
    )  # fmt: skip
    heartbeat_s = 60
    commands = frozenset()
    enrol_limit = 1
    delete_limit = 1
    fields: ClassVar[Mapping[str, str]] = FIELDS

    def encode(self, order: Order) -> tuple[Outgoing, ...]:
        raise UnsupportedError(self.name, order.kind)

    def rights(self, external_id: str) -> Rights:
        code, _, device = external_id.partition(":")
        branch = f"{ROOT}/{code}/{device or code}"
        # The heartbeat's topic is the site's: here every terminal of a site can speak for another.
        return Rights(
            (
                f"{branch}/Rec", f"{branch}/Ack", f"{branch}/ack",
                f"{ROOT}/{code}/heartbeat", f"{ROOT}/{code}/basic",
            ),
            (branch,),
        )  # fmt: skip

    def place(self, topic: str) -> Place:
        levels = topic.split("/")
        if tuple(levels[:2]) != _LEVELS or len(levels) < 4 or not levels[2]:
            return Place(None, "", None)
        if levels[3] in SHARED or not levels[3]:
            return Place(None, levels[3], None)
        return Place(
            f"{levels[2]}:{levels[3]}",
            levels[-1] if len(levels) > 4 else "",
            f"{ROOT}/{levels[2]}/{levels[3]}",
        )

    def sender(self, stated: str | None, topic: str) -> str | None:
        levels = topic.split("/")
        known = tuple(levels[:2]) == _LEVELS and len(levels) > 2 and levels[2]
        return f"{levels[2]}:{stated}" if known and stated is not None else stated

    def down(self, sender: str | None) -> str | None:
        code, _, device = (sender or "").partition(":")
        return f"{ROOT}/{code}/{device}" if device and is_level(code) and is_level(device) else None
