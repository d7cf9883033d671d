"""Sirens, lamps and loudspeakers of the compound, by the commands that devices take anyway.

Failure policy: *fail secure* where silence protects somebody. What a plan keeps silent (duress, R-E12)
never sounds, whatever was asked for; an exercise is spoken, with the word for it, and never sounded.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from alerts.incidents.models import Evidence, Incident
from alerts.notify.channels.channel import Address, Letter, Outcome, Result
from alerts.notify.models import ChannelKind
from alerts.plans import Plan, default_plans, plan_for
from devices.adapters import ADAPTERS
from devices.adapters.contract import UnsupportedError
from devices.commands import desk
from devices.commands.desk import Asking, DeviceAwayError
from devices.commands.kinds import MAX_SOUND_S, MAX_SPOKEN, InvalidCommandError, UnlawfulCommandError
from devices.commands.models import CommandState, DeviceCommand
from devices.directory import DeviceFacts, facts_of
from devices.models import DeviceKind
from storage import Clock, Database

SILENT_RULES: Final = frozenset({"R-E12"})
"""Duress: whoever stands there is in danger from whoever hears that help was called."""
_SECONDS: Final = 30.0
_LOOK_S: Final = 0.1
_ANSWER_S: Final = 6.0
_DRILL_WORDS: Final = ("演练", "drill", "Drill")


class Sirens:
    """Makes one device sound, light up or speak, and waits for it to say that it did.

    A contact's address is the device's id. Its settings: `do` (sound, speak; a siren sounds where
    nothing is said), `seconds` 1…300, `drills` (whether exercises may be spoken there).
    """

    kind: ClassVar[ChannelKind] = ChannelKind.MQTT
    stays_inside: ClassVar[bool] = True

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        plans: Callable[[], Sequence[Plan]] = default_plans,
        answer_s: float = _ANSWER_S,
    ) -> None:
        self._database = database
        self._clock = clock
        self._plans = plans
        self._answer_s = answer_s

    async def send(self, to: Address, letter: Letter) -> Outcome:
        asked = await asyncio.to_thread(self._ask, to, letter)
        if isinstance(asked, Outcome):
            return asked
        state = CommandState.PENDING
        deadline = asyncio.get_running_loop().time() + self._answer_s
        while asyncio.get_running_loop().time() < deadline:
            state = await asyncio.to_thread(self._state, asked)
            if state not in {CommandState.PENDING, CommandState.SENT}:
                break
            await asyncio.sleep(_LOOK_S)
        return _OUTCOMES[state]

    def _ask(self, to: Address, letter: Letter) -> str | Outcome:
        if letter.drill and to.settings.get("drills") is not True:
            return Outcome(Result.REFUSED, "no_drills")
        with self._database.write() as session:
            device = facts_of(session, to.address)
            if device is None or (letter.compound is not None and device.compound != letter.compound):
                return Outcome(Result.GONE, "no_device")
            if self._must_be_silent(session, letter.incident):
                return Outcome(Result.REFUSED, "silent")
            doing = _doing(device, to)
            if letter.drill and doing != "speak":
                # A siren cannot say that it is an exercise.
                return Outcome(Result.REFUSED, "no_words_for_drill")
            asking = Asking(
                "ringward", "system", f"letter {letter.purpose}", desk.key_of("letter", letter.attempt)
            )
            try:
                command = desk.ask(
                    session, device, doing, _arguments(doing, to, letter), asking, self._clock.now()
                )
            except DeviceAwayError:
                return Outcome(Result.FAILED, "device_away")
            except (UnsupportedError, InvalidCommandError, UnlawfulCommandError):
                return Outcome(Result.REFUSED, "unsupported")
            return command.id

    def _state(self, command_id: str) -> CommandState:
        with self._database.read() as session:
            found = session.scalar(select(DeviceCommand.state).where(DeviceCommand.id == command_id))
            return CommandState(found) if found is not None else CommandState.UNCERTAIN

    def _must_be_silent(self, session: Session, incident_id: str | None) -> bool:
        if incident_id is None:
            return False
        rules = set(session.scalars(select(Incident.rule).where(Incident.id == incident_id)))
        rules |= set(session.scalars(select(Evidence.rule).where(Evidence.incident == incident_id)))
        # An incident that cannot be found may have been one of those.
        return not rules or bool(rules & SILENT_RULES) or plan_for(self._plans(), rules).silent


_OUTCOMES: Final = {
    # Its own word that it sounds.
    CommandState.ACKED: Outcome(Result.RECEIVED),
    # The broker took it; many sirens never answer.
    CommandState.SENT: Outcome(Result.HANDED_OVER),
    CommandState.UNCERTAIN: Outcome(Result.HANDED_OVER),
    CommandState.FAILED: Outcome(Result.FAILED, "device_failed"),
    # Nobody has sent it yet: it may still go.
    CommandState.PENDING: Outcome(Result.UNCERTAIN, "timeout"),
}


def _doing(device: DeviceFacts, to: Address) -> str:
    if to.settings.get("do") == "speak":
        return "speak"
    # A plain relay with a siren on it is held closed for a time; a relay of a door is none of these.
    known = ADAPTERS[device.adapter].commands
    return "hold" if device.kind == DeviceKind.SIREN and "sound" not in known else "sound"


def _arguments(doing: str, to: Address, letter: Letter) -> dict[str, object]:
    if doing == "speak":
        words = (
            f"{letter.title}。{letter.body}"
            if letter.language.startswith("zh")
            else f"{letter.title}. {letter.body}"
        )
        said = "".join(c if c.isprintable() else " " for c in words)
        if letter.drill and not any(word in said[:MAX_SPOKEN] for word in _DRILL_WORDS):
            said = f"演练 drill: {said}"
        return {"text": said[:MAX_SPOKEN]}
    seconds = to.settings.get("seconds", _SECONDS)
    wanted = float(seconds) if isinstance(seconds, int | float) else _SECONDS
    return {"seconds": min(max(wanted, 1.0), float(MAX_SOUND_S))}


def may_sound(device: DeviceFacts) -> frozenset[str]:
    """What a device can do of `sound` and `speak`; for whoever enters a contact."""
    known = ADAPTERS[device.adapter].commands
    can = {word for word in ("sound", "speak") if word in known}
    if device.kind == DeviceKind.SIREN and "hold" in known:
        can.add("sound")
    return frozenset(can)
