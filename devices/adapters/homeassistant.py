"""Home Assistant over MQTT: what its state stream says of doors, locks, detectors and the alarm panel.

Sources: home-assistant.io, integrations `mqtt_statestream`, `mqtt_eventstream` and `mqtt`, and the
entity documentation of `binary_sensor`, `lock`, `cover` and `alarm_control_panel`.

The state stream publishes a bare word on `homeassistant/{domain}/{object}/state`, without time and
without device class; then only the object's name can tell what it is. Where a whole state
object comes (the event stream, the REST API's shape), its device class and its time count.
The same root carries discovery configurations, which are no events.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from devices.adapters.contract import Adapter, Decoded, Incoming, Reading, RefusedError, Rights, SignOfLife
from devices.adapters.fields import flag, moment, remainder, section, text
from devices.adapters.scalars import online_of, value_of
from devices.adapters.states import OPENINGS, about, jammed, meaning, opening, state

ROOT: Final = "homeassistant"
MAX_STATE: Final = 255
"""Characters of a state, Home Assistant's own limit."""

# device_class of a binary sensor → what it is; on is open, unlocked, unsafe, low.
_CLASSES: Final = {
    "door": "door",
    "garage_door": "door",
    "opening": "door",
    "window": "door",
    "lock": "lock",
    "smoke": "smoke",
    "gas": "gas",
    "carbon_monoxide": "carbon_monoxide",
    "safety": "unsafe",
    "tamper": "tamper",
    "problem": "fault",
    "battery": "battery",
}
_COVERS: Final = {"door": "door", "garage": "door", "gate": "door"}
_LOCKS: Final = {"locked": False, "unlocked": True, "open": True}
_PANEL: Final = frozenset(
    ["disarmed", "armed_home", "armed_away", "armed_night", "armed_vacation", "armed_custom_bypass",
     "pending", "triggered"]
)  # fmt: skip
# In these it is not known to be armed or to be at rest; in all others there is no alarm any more.
_ALARMED: Final = frozenset({"pending", "triggered"})
# On the way from one state to another: what comes of it is told in a moment.
_PASSING: Final = frozenset(
    {"arming", "disarming", "locking", "unlocking", "opening", "closing", "unknown", ""}
)
# Where people are is nothing that a gate has to know.
_PEOPLE: Final = frozenset({"person", "device_tracker", "zone"})
_PRESSED: Final = frozenset({"event", "button", "input_button"})
_CONFIGURATION: Final = frozenset(
    ["state_topic", "stat_t", "command_topic", "cmd_t", "unique_id", "uniq_id", "components", "cmps"]
)
# Attributes that draw an entity, and the one that names who did it.
_DRAWING: Final = frozenset(
    ["assumed_state", "attribution", "changed_by", "code_arm_required", "code_format", "device_class",
     "editable", "entity_picture", "friendly_name", "icon", "restored", "supported_features"]
)  # fmt: skip


class HomeAssistantAdapter(Adapter):
    """Entities of a Home Assistant."""

    name = "homeassistant"
    title = "Home Assistant"
    aliases = ("hass", "home-assistant")
    topics = ("homeassistant/#",)
    gateway = True
    root = ROOT
    fields: ClassVar[Mapping[str, str]] = {
        "state": "type, point; of an alarm panel also attributes.state, armed, ended",
        "entity_id": "device",
        "attributes.device_class": "type",
        "attributes.changed_by": "dropped: it names a person",
        "last_changed": "device_time",
        "event_type": "state_changed, of the event stream",
        "event_data.entity_id": "device",
        "event_data.new_state": "as a state object",
    }

    def decode(self, message: Incoming) -> Decoded:
        path = _path(message.topic)
        if path[-1:] in {("set",), ("command",)}:
            raise RefusedError("command_not_event", "it is a command to an entity")
        if path[-1:] == ("config",):
            return Decoded(ROOT, ignored="discovery" if message.body else "cleared_state")
        value = value_of(message.body)
        if isinstance(value, dict):
            return _object(value, path, message)
        if path in {(), ("status",)}:
            online = online_of(value) if isinstance(value, str) else None
            if online is None:
                raise RefusedError("malformed_json", "neither a state object nor online or offline")
            return Decoded(ROOT, signs=(SignOfLife(online),))
        if value is None:
            return Decoded(ROOT, ignored="cleared_state")
        if len(path) != 3 or path[2] != "state":
            # An entity's other attributes, and what other programs keep under this root.
            return Decoded(ROOT, ignored="no_change")
        return _entity(path[0], path[1], value, {}, None, message)

    def rights(self, external_id: str) -> Rights:
        _ = external_id
        return Rights((f"{ROOT}/#",), (f"{ROOT}/#",))


def _path(topic: str) -> tuple[str, ...]:
    if not topic:
        return ()
    root, *rest = topic.split("/")
    if root != ROOT or not any(rest):
        raise RefusedError("wrong_topic", "expected homeassistant/…")
    return tuple(rest)


def _object(value: dict[str, Any], path: tuple[str, ...], message: Incoming) -> Decoded:
    """A whole state object, alone or within `state_changed`."""
    if value.get("event_type") == "state_changed":
        # The event stream says event_data, the WebSocket and REST interfaces say data.
        changed = section(value, "event_data") or section(value, "data")
        value = {"entity_id": changed.get("entity_id")} | section(changed, "new_state")
    elif "event_type" in value:
        return Decoded(ROOT, ignored="not_security")
    entity = text(value.get("entity_id")) or ".".join(path[:2] if len(path) == 3 else ())
    domain, _, name = entity.partition(".")
    if name and "state" in value:
        attributes = section(value, "attributes")
        return _entity(domain, name, value["state"], attributes, value.get("last_changed"), message)
    if _CONFIGURATION & value.keys():
        return Decoded(ROOT, ignored="discovery")
    if path:
        return Decoded(ROOT, ignored="no_change")
    raise RefusedError("unknown_type", "neither a state nor a configuration")


def _entity(
    domain: str, name: str, said: Any, attributes: dict[str, Any], changed: Any, message: Incoming
) -> Decoded:
    """One entity's state."""
    now = str(said).lower() if isinstance(said, bool) else (text(said) or "").lower()
    if isinstance(said, str) and (len(said) > MAX_STATE or "\n" in said):
        raise RefusedError("malformed_json", "a state has one line of at most 255 characters")
    device = f"{domain}.{name}"
    if domain in _PEOPLE:
        return Decoded(ROOT, ignored="not_security")
    at = moment(changed)
    if now == "unavailable":
        return Decoded(ROOT, signs=(SignOfLife(online=False, device=device),))
    # Without the time: a state can be older than its message, and would pass for a wrong clock.
    signs = () if message.retained else (SignOfLife(online=True, device=device),)
    if now in _PASSING:
        return Decoded(ROOT, signs=signs, ignored="no_change")
    reading = _reading(domain, name, now, attributes, _shared(device, at, attributes))
    out = ("attributes.changed_by",) if attributes.get("changed_by") else ()
    readings = () if reading is None else (reading,)
    return Decoded(ROOT, readings, signs, dropped=out, ignored=None if readings else "not_security")


def _shared(device: str, at: dt.datetime | None, attributes: dict[str, Any]) -> dict[str, Any]:
    return about(device, at, remainder(attributes, _DRAWING))


def _reading(
    domain: str, name: str, now: str, attributes: dict[str, Any], shared: dict[str, Any]
) -> Reading | None:
    kind = text(attributes.get("device_class"))
    if domain == "binary_sensor":
        what = meaning(name) if kind is None else _CLASSES.get(kind)
        is_on = flag(now)
        return None if what is None or is_on is None else state(what, is_on, shared)
    if domain == "lock":
        if now == "jammed":
            return jammed(shared)
        return opening("lock", _LOCKS[now], shared) if now in _LOCKS else None
    if domain == "cover" and now in {"open", "closed"}:
        what = meaning(name) if kind is None else _COVERS.get(kind)
        return None if what is None or what not in OPENINGS else opening(what, now == "open", shared)
    if domain == "alarm_control_panel" and now in _PANEL:
        is_armed = None if now in _ALARMED else now.startswith("armed_")
        of_panel = {"state": now} if is_armed is None else {"state": now, "armed": is_armed, "ended": True}
        told = {**shared, "attributes": shared["attributes"] | of_panel}
        return Reading("alarm.intrusion", point=("alarm", now), **told)
    pressed = moment(now) if domain in _PRESSED and meaning(name) == "sos" else None
    if pressed is not None:
        # Such an entity's state is when it was last pressed, and it is told again at each start.
        marks = tuple(mark for mark in shared["marks"] if mark != "time_missing")
        told = shared | {"device_time": pressed, "marks": marks}
        return Reading("alarm.sos", f"pressed:{now}"[:64], **told)
    return None
