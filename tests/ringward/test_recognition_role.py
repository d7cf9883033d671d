"""The recognition role in this process: when it is ready, what it does beside the looks, what it counts."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace

import nats
import pytest
from sqlalchemy import text

import ringward.child
import ringward.recognitionside
from bus.messages import EventStored, encode
from bus.relay import WAKE
from bus.subjects import event as subject_of
from ringward.environment import environment_for
from ringward.foundation import Foundation
from ringward.recognitionside import RecognitionRole, policy_of
from ringward.settings import Settings
from tests.support.brokers import NatsServer
from tests.support.clock import NOON
from tests.support.lookers import cheap_eyes
from tests.support.waiting import until


@pytest.fixture
def on_bus(ground: Foundation, nats_server: NatsServer) -> Foundation:
    return replace(ground, bus=nats_server.bus)


async def test_role_is_ready_when_engines_are_loaded_and_pictures_are_taken(
    on_bus: Foundation, nats_server: NatsServer
) -> None:
    ready_while_opening: list[bool] = []

    def opens(foundation: Foundation):
        ready_while_opening.append(role.ready())
        return cheap_eyes(foundation)

    role = RecognitionRole(on_bus, opens)
    assert not role.ready()
    await role.start()
    assert ready_while_opening == [False]
    assert role.ready()
    assert on_bus.metrics.get_sample_value("ringward_recognition_ready") == 1
    nats_server.kill()
    await until(lambda: not role.ready(), "it has noticed that nothing comes")
    nats_server.start()
    await until(role.ready, "it takes pictures again")
    await role.stop()
    assert not role.ready()


async def test_event_is_decided_counted_and_the_relay_woken(on_bus: Foundation) -> None:
    role = RecognitionRole(on_bus, cheap_eyes)
    await role.start()
    client = await nats.connect(on_bus.bus.url, **on_bus.bus.options())
    woken = await client.subscribe(WAKE)
    event = EventStored(
        id="e-1",
        compound="honghua",
        device_id="cam-1",
        type="face.captured",
        ring="entrance",
        zone="gate",
        device_time=NOON,
        at=NOON,
        received_at=NOON,
    )
    await client.jetstream().publish(subject_of("honghua", "entrance", "face.captured"), encode(event))
    await woken.next_msg(timeout=20)
    count = on_bus.metrics.get_sample_value
    labels = {"kind": "face", "outcome": "no_usable_picture"}
    assert count("ringward_recognition_decisions_total", labels) == 1
    assert count("ringward_recognition_waited_seconds_count", {"lane": "recognition-gates"}) == 1
    assert count("ringward_recognition_look_seconds_count", {"kind": "face"}) == 1
    await client.close()
    await role.stop()


@pytest.mark.parametrize("work", ["settle", "refresh"])
async def test_rounds_go_on_without_events_and_after_a_failure(
    on_bus: Foundation, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    """Someone erased leaves memory and a passage is told although nobody passes and the database stumbles."""
    monkeypatch.setattr(ringward.recognitionside, "SETTLE_S", 0.001)
    monkeypatch.setattr(ringward.recognitionside, "REFRESH_S", 0.001)
    asked: list[int] = []

    def stumbles() -> list[None]:
        asked.append(len(asked))
        if len(asked) == 1:
            raise OSError
        return []

    role = RecognitionRole(on_bus, cheap_eyes)
    opened = role._open

    def opens() -> None:
        opened()
        monkeypatch.setattr(role._worker, work, stumbles)

    monkeypatch.setattr(role, "_open", opens)
    await role.start()
    await until(lambda: len(asked) > 2, "the worker is asked again")
    await role.stop()


def test_process_keeps_little_of_the_database_in_memory(ground: Foundation) -> None:
    ground.database.engine.dispose()
    RecognitionRole(ground, cheap_eyes)
    with ground.database.read() as session:
        assert session.scalar(text("PRAGMA cache_size")) == -4096


def test_policy_is_what_the_settings_say(settings: Settings) -> None:
    changed = settings.model_copy(
        update={"recognition_settle_ms": 250, "recognition_ttl_s": 60, "gate_fpir": 0.01, "door_fpir": 0.001}
    )
    policy = policy_of(changed)
    assert (policy.settle.total_seconds(), policy.ttl.total_seconds()) == (0.25, 60)
    assert (policy.fpir("entrance"), policy.fpir("building")) == (0.01, 0.001)
    assert policy_of(settings).deadline.total_seconds() == 3


def test_recognition_process_takes_one_core(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"OPENBLAS_NUM_THREADS": "3"})
    ringward.child.one_core(["ingest", "relay"])
    assert os.environ == {"OPENBLAS_NUM_THREADS": "3"}
    ringward.child.one_core(["recognition"])
    # Whoever has set one himself knows why.
    assert os.environ == {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "3", "MKL_NUM_THREADS": "1"}
    told = environment_for(settings)
    assert (told["OMP_NUM_THREADS"], told["OPENBLAS_NUM_THREADS"], told["MKL_NUM_THREADS"]) == ("1", "3", "1")


@pytest.mark.parametrize("roles", [["recognition", "nonsense"], ["nonsense"]])
def test_wrong_roles_are_left_to_the_command_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, roles: list[str]
) -> None:
    started: list[Callable[..., object]] = []
    monkeypatch.setattr(asyncio, "run", started.append)
    assert not ringward.child.run(roles)
    assert started == []
