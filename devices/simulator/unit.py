"""One simulated device at work: its wire, its clock, its connection, and what it still waits for."""

import asyncio
import datetime as dt
import hashlib
import itertools
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from devices.simulator.faults import WELL, Clock, Fate
from devices.simulator.history import Entry, History, What
from devices.simulator.line import Access, Line
from devices.simulator.plan import Step
from devices.simulator.push import RETRY_S, PushError, PushLine
from devices.simulator.wires import Fact, Message, Wire
from storage import Clock as Now

# What is overtaken waits so long, in seconds of ours.
_HELD_S: Final = 0.3
# How often a message is sent before a device gives it up.
_PATIENCE: Final = 50


@dataclass(slots=True)
class Sent:
    """A message on its way. `since` is the loop's time when it first left."""

    message: Message
    happening: int | None
    mad: bool = False
    since: float = 0.0
    times: int = 0
    deaf: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """What all units share. `who` names the registered device behind a gateway's external id."""

    history: History
    now: Now
    who: Callable[[str, str | None], str]
    started: dt.datetime
    speed: float
    resend_s: float
    happenings: "itertools.count[int]"


class Unit(ABC):
    """A device that connects by itself: alone, or as a gateway for those behind it."""

    def __init__(self, device_id: str, wire: Wire, clock: Clock, setting: Setting) -> None:
        self.device_id = device_id
        self.wire = wire
        self._clock = clock
        self.setting = setting
        self.loop = asyncio.get_running_loop()
        self.away = False
        # Set when the play is over: no sign of life any more.
        self.quiet = False
        # What it keeps until it is back.
        self._kept: list[Sent] = []
        # Which happening a record was, to know it again when it is asked for.
        self._records: dict[tuple[str, str | None], int] = {}

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Messages that nobody has answered yet."""

    @abstractmethod
    def open(self) -> None:
        """Switches it on."""

    @abstractmethod
    async def close(self) -> None:
        """Switches it off."""

    @abstractmethod
    def send(self, sent: Sent) -> None:
        """Puts a message on its way."""

    def act(self, step: Step) -> None:
        """What the plan has for it."""
        if step.act == "tell":
            self._tell(step)
        elif step.act == "reset":
            self.wire.reset()
            self.note("reset")
        elif not self.away:
            self._leave(step.seconds / self.setting.speed)

    def beat(self) -> None:
        """A sign of life, unless it is away; and the next one, until the play is over."""
        if self.quiet:
            return
        if not self.away:
            for message in self.wire.beat(self.clock()):
                self.send(Sent(message, None))
        self.loop.call_later(self.wire.beat_s / self.setting.speed, self.beat)

    def start_beating(self) -> None:
        if self.wire.beat_s:
            # Devices switched on together must not all speak in the same instant for ever.
            first = random.Random(self.device_id).random() * self.wire.beat_s / self.setting.speed
            self.loop.call_later(first, self.beat)

    def clock(self) -> dt.datetime:
        """What the device's own clock shows."""
        return self._clock.read(self.setting.now.now(), self.setting.started)

    def note(self, what: What, sent: Sent | None = None, *, by: str | None = None) -> None:
        """Writes into the history: one entry, or one for each fact of the message."""
        at = self.setting.now.now().timestamp()
        if sent is None:
            self.setting.history.add(Entry(at, self.device_id, what))
            return
        ms = None if by is None else (self.loop.time() - sent.since) * 1000
        for fact in sent.message.facts:
            self.setting.history.add(
                Entry(
                    at,
                    self.setting.who(self.device_id, fact.device),
                    what,
                    sent.happening,
                    fact.kind,
                    fact.number,
                    None if fact.at is None else fact.at.astimezone(dt.UTC),
                    fact.late,
                    sent.mad,
                    ms,
                    by,
                )
            )

    def note_broken(self, message: Message, what: What) -> None:
        digest = hashlib.blake2b(message.body, digest_size=16).hexdigest()
        at = self.setting.now.now().timestamp()
        self.setting.history.add(Entry(at, self.device_id, what, digest=digest))

    def say(self, messages: tuple[Message, ...]) -> None:
        """Answers, records that are pushed again, states that changed because of a command."""
        for message in messages:
            happening = None
            if message.facts:
                happening = self._known(message.facts[0])
            self.send(Sent(message, happening))

    def _known(self, fact: Fact) -> int:
        key = (fact.kind, fact.number)
        if fact.number is None or key not in self._records:
            return next(self.setting.happenings)
        return self._records[key]

    def _tell(self, step: Step) -> None:
        assert step.what is not None
        if self.away and not self.wire.keeps:
            return
        messages = self.wire.tell(step.what, self.clock(), late=self.away)
        happening = next(self.setting.happenings)
        for number, message in enumerate(messages):
            for fact in message.facts:
                if fact.number is not None:
                    self._records[fact.kind, fact.number] = happening
            sent = Sent(message, happening, step.mad)
            if self.away:
                self._kept.append(sent)
            else:
                self._dispatch(sent, step.fate if number == 0 else WELL)
        if step.fate.broken and not self.away:
            self.send_broken(self.wire.broken(happening))

    @abstractmethod
    def send_broken(self, message: Message) -> None:
        """Puts something on its way that is no message."""

    def _dispatch(self, sent: Sent, fate: Fate) -> None:
        sent.deaf = fate.deaf
        if fate.lost and sent.message.qos == 0 and sent.message.content_type is None:
            self.lose(sent)
            return
        if fate.swapped and not sent.message.ordered:
            self.loop.call_later(_HELD_S, self.send, sent)
            return
        self.send(sent)
        if fate.twice:
            self.send(Sent(sent.message, sent.happening, sent.mad))

    def lose(self, sent: Sent) -> None:
        """It leaves the device and arrives nowhere."""
        self.note("lost", sent)

    def _leave(self, for_s: float) -> None:
        self.away = True
        self.note("cut")
        self.disconnect()
        self.loop.call_later(for_s, self._return)

    @abstractmethod
    def disconnect(self) -> None:
        """The cable is pulled."""

    def _return(self) -> None:
        self.away = False
        self.note("back")
        self.reconnect()

    @abstractmethod
    def reconnect(self) -> None:
        """The cable is back."""

    def send_kept(self) -> None:
        """Tells what it kept, oldest first."""
        kept, self._kept = self._kept, []
        for sent in kept:
            self.send(sent)


class MqttUnit(Unit):
    """A device that publishes."""

    def __init__(self, device_id: str, wire: Wire, clock: Clock, setting: Setting, access: Access) -> None:
        super().__init__(device_id, wire, clock, setting)
        self._line = Line(
            access,
            wire.will(),
            [(wanted, wire.listens_qos) for wanted in wire.listens()],
            on_up=self._up,
            on_message=self._hear,
            on_acknowledged=self._acknowledged,
        )
        # By the broker's number, and by the name that the protocol's own answer uses.
        self._published: dict[int, Sent] = {}
        self._broken: dict[int, Message] = {}
        self._unanswered: dict[str, Sent] = {}

    @property
    def up(self) -> bool:
        return self._line.up

    @property
    def waiting(self) -> int:
        # Whoever has a PUBACK may go without an answer: it came while the cable was out.
        unanswered = sum(sent.message.qos == 0 for sent in self._unanswered.values())
        return len(self._published) + len(self._broken) + unanswered + len(self._kept)

    def open(self) -> None:
        self._line.open()

    async def close(self) -> None:
        self._line.close()

    def disconnect(self) -> None:
        self._line.cut()

    def reconnect(self) -> None:
        self._line.open()

    def send(self, sent: Sent) -> None:
        message = sent.message
        sent.since = sent.since or self.loop.time()
        if message.key is not None and sent.times == 0:
            self._expect(message.key, sent)
        sent.times += 1
        self.note("told", sent)
        number = self._line.publish(message)
        if number is not None:
            self._published[number] = sent

    def lose(self, sent: Sent) -> None:
        super().lose(sent)
        if sent.message.key is not None:
            # It does not know: it waits for an answer, and says it again.
            sent.since = self.loop.time()
            sent.times = 1
            self._expect(sent.message.key, sent)

    def send_broken(self, message: Message) -> None:
        self.note_broken(message, "broken")
        number = self._line.publish(message)
        if number is not None:
            self._broken[number] = message

    def _expect(self, key: str, sent: Sent) -> None:
        self._unanswered[key] = sent
        if sent.message.qos == 0:
            self.loop.call_later(self.setting.resend_s, self._again, key, sent)

    def _again(self, key: str, sent: Sent) -> None:
        if self._unanswered.get(key) is not sent or sent.times > _PATIENCE:
            return
        if self._line.up:
            sent.message = self.wire.again(sent.message)
            sent.times += 1
            self.note("told", sent)
            self._line.publish(sent.message)
        self.loop.call_later(self.setting.resend_s, self._again, key, sent)

    def _up(self) -> None:
        for message in self.wire.hello(self.clock()):
            self.send(Sent(message, None))
        self.send_kept()

    def _acknowledged(self, number: int) -> None:
        broken = self._broken.pop(number, None)
        if broken is not None:
            self.note_broken(broken, "broken_acknowledged")
        sent = self._published.pop(number, None)
        if sent is not None:
            self.note("acknowledged", sent, by="puback")

    def _hear(self, topic: str, body: bytes) -> None:
        heard = self.wire.hear(topic, body, self.clock())
        for what, names in (("acknowledged", heard.confirmed), ("refused", heard.refused)):
            for name in names:
                self._answered(name, refused=what == "refused")
        if heard.command is not None:
            self.note("command")
        self.say(heard.says)

    def _answered(self, name: str, *, refused: bool) -> None:
        sent = self._unanswered.get(name)
        if sent is None:
            return
        if sent.deaf:
            sent.deaf = False
            self.note("unheard", sent)
            if sent.message.qos == 0:
                return
        del self._unanswered[name]
        self.note("refused" if refused else "acknowledged", sent, by="answer")


class PushUnit(Unit):
    """A device that pushes by HTTP, one message after the other."""

    def __init__(self, device_id: str, wire: Wire, clock: Clock, setting: Setting, line: PushLine) -> None:
        super().__init__(device_id, wire, clock, setting)
        self._line = line
        self._queue: asyncio.Queue[Sent | Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._busy = 0

    @property
    def waiting(self) -> int:
        return self._queue.qsize() + self._busy + len(self._kept)

    def open(self) -> None:
        self._task = asyncio.create_task(self._work(), name=self.device_id)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._line.close()

    def disconnect(self) -> None:
        """Whatever is under way may be answered still; what comes next is kept, or lost."""

    def reconnect(self) -> None:
        self.send_kept()

    def send(self, sent: Sent) -> None:
        sent.since = self.loop.time()
        self._queue.put_nowait(sent)

    def send_broken(self, message: Message) -> None:
        self._queue.put_nowait(message)

    async def _work(self) -> None:
        while True:
            item = await self._queue.get()
            self._busy = 1
            if isinstance(item, Sent):
                await self._push(item)
            else:
                await self._push_broken(item)
            self._busy = 0

    async def _push(self, sent: Sent) -> None:
        for _ in range(_PATIENCE):
            self.note("told", sent)
            try:
                status, _body = await self._line.post(sent.message)
            except PushError:
                status = 0
            if status and status < 300:
                self.note("acknowledged", sent, by="http")
                return
            if 400 <= status < 500 and status not in {408, 429}:
                self.note("refused", sent, by="http")
                return
            if not self.wire.keeps:
                # Nobody took it, and it does not try again.
                return
            await asyncio.sleep(RETRY_S)

    async def _push_broken(self, message: Message) -> None:
        self.note_broken(message, "broken")
        try:
            status, _ = await self._line.post(message)
        except PushError:
            return
        if status:
            self.note_broken(message, "broken_acknowledged")
