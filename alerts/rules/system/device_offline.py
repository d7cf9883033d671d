"""R-D01: a device fell silent; what lies in its view is blind from now on."""

import datetime as dt
from typing import ClassVar

from alerts.rules.observation import Observation
from alerts.rules.rule import Excuse, Parameter, Question, Rule, Settings, Signal, View

# How far the word of a device's return may overtake that of its going.
_OVERTAKEN_WITHIN = dt.timedelta(seconds=15)


class DeviceOffline(Rule):
    """Raises one incident a device; clears by itself when the device is back."""

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
        # What went with its gateway is part of what happened to the gateway.
        if observation.type == "device.offline" and observation.cause != "gateway":
            return Question(observation, observation.at)
        return None

    @staticmethod
    def answer(question: Question, view: View, settings: Settings) -> Signal | None:
        gone = question.anchor
        # Overtaken by the word of its return: there is nothing left to clear it later.
        since = view.at_place(gone.place, gone.at, gone.at + _OVERTAKEN_WITHIN)
        if any(seen.type == "device.online" and seen.device == gone.device for seen in since):
            return None
        urgent = gone.ring == "entrance" or gone.ring_offline >= settings.values["ring_share"]
        return Signal(
            rule=DeviceOffline.id,
            kind=DeviceOffline.kind,
            severity=settings.severity("urgent" if urgent else "other"),
            dedupe_key=_key(gone),
            # Until it is back or somebody closes it: a device that stays away is one incident.
            dedupe_window=dt.timedelta(days=365),
            anchor=gone,
            evidence=(gone,),
            reason="device_offline",
            reason_args={"cause": gone.cause, "ring_share": round(gone.ring_offline, 2)},
        )

    @staticmethod
    def clears(observation: Observation) -> str | None:
        return _key(observation) if observation.type == "device.online" else None


def _key(observation: Observation) -> str:
    return f"{DeviceOffline.id}:{observation.device}"
