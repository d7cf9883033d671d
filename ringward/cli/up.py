"""`ringward up` and `ringward run`: everything on one machine, or roles as processes."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from ringward import firststart, logs
from ringward.cli.common import console, fail, settings
from ringward.foundation import lay
from ringward.settings import Settings
from ringward.supervisor import AlreadyRunningError, Supervisor
from storage.migrate import SchemaTooNewError, SchemaTooOldError
from storage.ringmark import ForeignRingError


def up(
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept.")] = None,
    http_port: Annotated[int | None, typer.Option(help="Console port; the next free one if busy.")] = None,
    mqtt_port: Annotated[int | None, typer.Option(help="MQTT port; the next free one if busy.")] = None,
) -> None:
    """Start Ringward on this machine: broker, core and recognition, until Ctrl-C.

    Example: ringward up --data-dir /var/lib/ringward
    """
    supervisor = supervise(settings(data_dir=data_dir, http_port=http_port, mqtt_port=mqtt_port))
    link = firststart.administrator_link(supervisor.foundation)

    def ready() -> None:
        base = supervisor.settings.base_url
        console.print(f"Ringward is at [bold]{base}[/bold]   MQTT on port {supervisor.settings.mqtt_port}")
        if supervisor.settings.push_url is not None:
            console.print(f"Devices that push do so at {supervisor.settings.push_url}/DEVICE")
        if link is not None:
            console.print(f"First start: the administrator chooses a password at\n  {base}/setup/{link}")
        console.print("Ctrl-C stops it.")

    supervisor.run(ready)


def supervise(loaded: Settings) -> Supervisor:
    """A supervisor of the settings' data directory; exits with 1 when one is running there."""
    try:
        return Supervisor(loaded, console.print)
    except (AlreadyRunningError, ForeignRingError, SchemaTooNewError, OSError) as error:
        raise fail(str(error)) from None


def run(
    roles: Annotated[
        list[str],
        typer.Argument(help="ingest, relay, alerts, notify, devices, console, keeper, recognition"),
    ],
) -> None:
    """Run roles as one process against the brokers and the database of the settings.

    Example: ringward run recognition
    """
    from ringward import child

    child.one_core(roles)
    from ringward import process, schemagate

    loaded = settings()
    logs.configure(loaded.log_level, loaded.log_format)
    ground = lay(loaded, roles)
    try:
        schemagate.pass_through(ground.database)
        asyncio.run(process.run(roles, ground))
    except (ForeignRingError, SchemaTooOldError, SchemaTooNewError, ValueError) as error:
        raise fail(str(error)) from None
