"""Fuzzing with atheris: bytes that grow towards code that has not been reached yet."""

import json
import sys
from pathlib import Path

from tests.fuzz import CONTENT_TYPES


def run(seconds: float, seed: int, only: str | None, folder: Path) -> None:
    """Fuzzes until the time is over; atheris ends the process, with 77 where it found something."""
    import atheris

    with atheris.instrument_imports(include=["devices.adapters"]):
        from devices.adapters import ADAPTERS
        from devices.adapters.contract import Incoming
    from tests.devices.adapters.test_contract import check, topic_of

    adapters = [adapter for adapter in ADAPTERS.values() if only in {None, adapter.name}]

    def look(data: bytes) -> None:
        if len(data) < 3:
            return
        adapter = adapters[data[0] % len(adapters)]
        topics = [*map(topic_of, adapter.topics), ""]
        topic = topics[data[1] % len(topics)]
        check(adapter, Incoming(topic, data[3:], CONTENT_TYPES[data[2] % len(CONTENT_TYPES)]))

    for number, adapter in enumerate(adapters):
        head = bytes([number, 0, 1])
        (folder / adapter.name).write_bytes(head + json.dumps(_shape(dict(adapter.fields))).encode())
    options = [
        f"-max_total_time={int(seconds)}",
        f"-seed={seed % 2**31}",
        "-max_len=4096",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder)], look)
    atheris.Fuzz()


def _shape(fields: dict[str, str]) -> dict[str, object]:
    """A message with every field of an adapter in its place, each saying "1"."""
    message: dict[str, object] = {}
    for path in fields:
        place: dict[str, object] = message
        *above, last = path.split(".")
        for name in above:
            inner: dict[str, object] = {}
            found = place.setdefault(name.removesuffix("[]"), [inner] if name.endswith("[]") else inner)
            if isinstance(found, list):
                found = found[0]
            if not isinstance(found, dict):
                break
            place = found
        else:
            place.setdefault(last.removesuffix("[]"), "1")
    return message
