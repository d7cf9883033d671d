"""R-D01: a device fell silent; what lies in its view is blind from now on.

A gateway takes with it what hangs behind it, and that is one incident: the gateway's. It is as
grave as the gravest of what went: a cabinet in the cellar may be what the gate hangs on.
"""

import datetime as dt
from typing import ClassVar, Final

from alerts.rules.observation import Observation
from alerts.rules.rule import (
    DISORDER,
    Clear,
    Excuse,
    Parameter,
    Question,
    Rule,
    Settings,
    Signal,
    View,
)

_GATEWAY: Final = "gateway"
# Until it is back or somebody closes it: a device that stays away is one incident.
_UNTIL_BACK: Final = dt.timedelta(days=365)


class DeviceOffline(Rule):
    """Raises one incident a device or gateway; clears by itself when it is back.

    A last will carries no time: it counts from when it came in. Going and coming are both told five
    seconds after they happened, in the order in which they happened.
    """

    id = "R-D01"
    kind = "device.offline"
    rings = frozenset({"entrance", "common", "building"})
    listens = frozenset({"device.offline", "device.online"})
    severities: ClassVar = {"urgent": 2, "other": 3}
    key = "device"
    excuses = (Excuse("device.online", "device"),)
    parameters = (
        Parameter(
            "ring_share",
            "share",
            0.3,
            0.05,
            1,
            "Share of a ring's devices that must be gone to make it urgent. Too small: one "
            "switch is an emergency. Too large: half a ring goes blind as a warning.",
        ),
    )

    @staticmethod
    def ask(observation: Observation, view: View, settings: Settings) -> Question | None:
        stage = ""
        if observation.type == "device.online":
            stage = "back"
        elif observation.cause == _GATEWAY:
            stage = "behind"
        return Question(observation, observation.at + DISORDER, stage)

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | Clear | None:
        seen = question.anchor
        if question.stage == "back":
            # Of two words of one moment the worse is believed.
            at_once = view.at_device(seen.device, seen.at, seen.at)
            if any(one.type == "device.offline" for one in at_once):
                return None
            return Clear(DeviceOffline.id, _key(seen.device), seen.at)
        urgent = seen.ring == "entrance" or seen.ring_offline >= settings.values["ring_share"]
        gone = seen
        if question.stage == "behind":
            gateway = _gateway(seen, view)
            if gateway is None or not urgent:
                # Part of what happened to its gateway, and makes it no worse.
                return None
            gone = gateway
        return Signal(
            rule=DeviceOffline.id,
            kind=DeviceOffline.kind,
            severity=settings.severity("urgent" if urgent else "other"),
            dedupe_key=_key(gone.device),
            dedupe_window=_UNTIL_BACK,
            anchor=seen,
            evidence=(seen,) if gone is seen else (gone, seen),
            reason="device_offline",
            reason_args={"cause": gone.cause, "ring_share": round(seen.ring_offline, 2)},
            stage=question.stage,
        )


def _gateway(behind: Observation, view: View) -> Observation | None:
    """The gateway that took a device with it: they are told of with one and the same moment."""
    gone = [
        seen
        for seen in view.of_type("device.offline", behind.at, behind.at)
        if seen.cause != _GATEWAY and seen.device != behind.device
    ]
    return min(gone, key=lambda seen: (seen.zone != behind.zone, seen.device), default=None)


def _key(device: str) -> str:
    return f"{DeviceOffline.id}:{device}"
