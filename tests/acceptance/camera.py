"""A camera as a process of its own: publishes each line of its input as an event, QoS 1.

python -m tests.acceptance.camera paho|gmqtt PORT COMPOUND DEVICE    (the secret is the first line)
Prints `ok` for every confirmed line.
"""

import asyncio
import sys

import gmqtt
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

DEADLINE_S = 20


def with_paho(port: int, topic: str, device: str, secret: str) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=device, protocol=mqtt.MQTTv311)
    client.username_pw_set(device, secret)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for line in sys.stdin:
        message = client.publish(topic, line.strip().encode(), qos=1)
        message.wait_for_publish(DEADLINE_S)
        print("ok" if message.is_published() else "lost", flush=True)
    client.disconnect()
    client.loop_stop()


async def with_gmqtt(port: int, topic: str, device: str, secret: str) -> None:
    client = gmqtt.Client(device)
    client.set_auth_credentials(device, secret)
    await client.connect("127.0.0.1", port, version=gmqtt.constants.MQTTv311)
    while line := await asyncio.to_thread(sys.stdin.readline):
        client.publish(topic, line.strip(), qos=1)
        async with asyncio.timeout(DEADLINE_S):
            # gmqtt keeps an unconfirmed message in its store until the PUBACK.
            while not client._persistent_storage.is_empty:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        print("ok", flush=True)
    await client.disconnect()


def main() -> None:
    kind, port, compound, device = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    secret = sys.stdin.readline().strip()
    topic = f"rw/v1/{compound}/{device}/up/event"
    if kind == "paho":
        with_paho(port, topic, device, secret)
    else:
        asyncio.run(with_gmqtt(port, topic, device, secret))


if __name__ == "__main__":
    main()
