"""The sender: what was asked for leaves once, in the vendor's own words."""

import datetime as dt
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter

from devices.adapters import ADAPTERS
from devices.adapters.contract import Order, Outgoing, UnsupportedError
from devices.commands import desk
from devices.commands.kinds import GATE
from devices.commands.models import DeviceCommand
from devices.directory import DeviceDirectory, DeviceFacts
from devices.roots import root_of, rooted
from storage import Clock, Database, tracing
from storage.leases import Fence, unfenced

log = structlog.get_logger(__name__)


class Publisher(Protocol):
    """Hands a message to the broker; False means that it certainly did not leave."""

    def publish(self, topic: str, payload: bytes, qos: int) -> bool: ...


class SenderMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.sent = Counter("ringward_devices_commands_sent", "Commands sent.", ["kind"], registry=registry)
        self.failed = Counter(
            "ringward_devices_commands_failed",
            "Commands that could not be sent.",
            ["code"],
            registry=registry,
        )
        self.uncertain = Counter(
            "ringward_devices_commands_uncertain", "Commands without an answer.", registry=registry
        )


class CommandSender:
    """One a deployment at work; several would send nothing twice, since a row is taken once."""

    def __init__(
        self,
        database: Database,
        directory: DeviceDirectory,
        publisher: Publisher,
        clock: Clock,
        metrics: SenderMetrics,
        fence: Fence = unfenced,
    ) -> None:
        self._database = database
        self._directory = directory
        self._publisher = publisher
        self._clock = clock
        self._metrics = metrics
        self._fence = fence

    def round(self) -> int:
        """Sends what waits and gives up on what was not answered; returns how many were sent."""
        with self._database.read() as session:
            if not desk.waiting(session):
                return 0
        now = self._clock.now()
        with self._database.write() as session:
            self._fence(session)
            taken = desk.take(session, now)
            session.expunge_all()
            silent = desk.give_up(session, now)
        for command_id in silent:
            self._metrics.uncertain.inc()
            log.warning("command.uncertain", command=command_id)
        for command in taken:
            with tracing.span(
                "command.send",
                command.trace,
                kind="producer",
                compound=command.compound,
                command=command.kind,
            ) as span:
                failure = self._send(command, now)
                if span is not None:
                    span.note(outcome=failure or "sent")
            if failure is not None:
                self._metrics.failed.labels(failure).inc()
                with self._database.write() as session:
                    desk.not_sent(session, command.id, failure, self._clock.now())
            else:
                self._metrics.sent.labels(command.kind).inc()
        return len(taken)

    def _send(self, command: DeviceCommand, now: dt.datetime) -> str | None:
        """None once it has left, or the code of why it certainly has not."""
        device = self._directory.get(command.device)
        if device is None or not device.trusted:
            return "device_away"
        if self._clock.now() >= command.expires_at:
            # This process slept since it took it: a door that opens now opens for somebody else.
            return "expired"
        try:
            messages = encoded(self._directory, device, order_of(command, device, now))
        except UnsupportedError:
            return "unsupported"
        for position, message in enumerate(messages):
            # QoS 0 for what moves: a broker may keep nothing that opens a door when its
            # device comes back.
            qos = 0 if command.kind in GATE else message.qos
            if not self._publisher.publish(message.topic, message.payload, qos) and position == 0:
                return "broker_away"
        log.info("command.sent", command=command.id, kind=command.kind, device=command.device)
        return None


def order_of(command: DeviceCommand, device: DeviceFacts, now: dt.datetime) -> Order:
    """A command as adapters know it; its times in the device's own zone."""
    arguments = dict(command.arguments)
    for name in ("from", "until"):
        if name in arguments:
            arguments[name] = dt.datetime.fromisoformat(arguments[name]).astimezone(device.time_zone)
    return Order(
        command.id,
        command.kind,
        device.name_on_wire,
        now.astimezone(device.time_zone),
        arguments,
        compound=device.compound,
        expires_at=command.expires_at,
    )


def encoded(directory: DeviceDirectory, device: DeviceFacts, order: Order) -> tuple[Outgoing, ...]:
    """An order on the wire, on the topics of the gateway that it goes through.

    Raises `UnsupportedError`.
    """
    adapter = ADAPTERS[device.adapter]
    messages = adapter.encode(order)
    gateway = device if device.gateway is None else directory.get(device.gateway)
    if gateway is None or not adapter.gateway:
        return messages
    root = root_of(gateway, adapter)
    return tuple(
        Outgoing(rooted(message.topic, adapter, root), message.payload, message.qos) for message in messages
    )
