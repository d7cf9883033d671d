"""R-D01: a device fell silent; what lies in its view is blind from now on."""

import datetime as dt

from alerts.rules.observation import Observation
from alerts.rules.rule import History, Parameter, Question, Rule, Settings, Signal

# How far the word of a device's return may overtake that of its going.
_OVERTAKEN_WITHIN = dt.timedelta(seconds=15)


class DeviceOffline(Rule):
    """Raises one incident a device; clears by itself when the device is back."""

    id = "R-D01"
    kind = "device.offline"
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
    def ask(observation: Observation, settings: Settings) -> Question | None:  # noqa: ARG004
        # What went with its gateway is part of what happened to the gateway.
        if observation.type == "device.offline" and observation.cause != "gateway":
            return Question(observation, observation.at)
        return None

    @staticmethod
    def answer(question: Question, history: History, settings: Settings) -> Signal | None:
        gone = question.anchor
        # Overtaken by the word of its return: there is nothing left to clear it later.
        since = history.at_place(gone.place, gone.at, gone.at + _OVERTAKEN_WITHIN)
        if any(seen.type == "device.online" and seen.device == gone.device for seen in since):
            return None
        urgent = gone.ring == "entrance" or gone.ring_offline >= settings.values["ring_share"]
        return Signal(
            rule=DeviceOffline.id,
            kind=DeviceOffline.kind,
            severity=2 if urgent else 3,
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
