"""`ringward demo`: Ringward with an invented compound, and a weekday that plays itself."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
import typer

from console.accounts.models import Role
from devices.simulator import DeviceRefusedError
from ringward import firststart
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.up import supervise
from ringward.demo import (
    DemoPeople,
    DemoPictures,
    DemoPlayer,
    PortraitMissingError,
    build_demo,
    cast,
    enrol_demo,
    publish_folder,
    weekday,
)
from ringward.demo.equipment import GUEST_FACE
from ringward.demo.plan import PREFIX
from ringward.foundation import Foundation
from ringward.supervisor import Running


def demo(
    data_dir: Annotated[Path, typer.Option(help="Where the demo is kept.")] = Path("data/demo"),
    portraits: Annotated[Path | None, typer.Option(help="Folder with the demo's portraits.")] = None,
    http_port: Annotated[int | None, typer.Option(help="Console port; the next free one if busy.")] = None,
    mqtt_port: Annotated[int | None, typer.Option(help="MQTT port; the next free one if busy.")] = None,
    publish: Annotated[
        Path | None,
        typer.Option(help="Send the JPEGs of a folder to the running demo as gate-camera events and leave."),
    ] = None,
) -> None:
    """Show Ringward with an invented compound: 23 buildings, 4,737 people, three rings, a weekday.

    Example: ringward demo        and, in a second terminal: ringward demo --publish ~/photos
    """
    loaded = settings(data_dir=data_dir, http_port=http_port, mqtt_port=mqtt_port)
    if publish is not None:
        _publish(data_dir, publish)
        return
    supervisor = supervise(loaded)
    ground = supervisor.foundation
    folder = portraits or Path(sys.prefix) / "share" / "ringward" / "portraits"
    console.print("Building the compound …")
    credentials = build_demo(ground.database, ground.media, ground.clock, data_dir)
    try:
        enrol_demo(ground.database, ground.media, folder, ground.clock)
        pictures = DemoPictures(folder)
    except PortraitMissingError as error:
        raise fail(str(error)) from None
    links = _accounts(ground)
    player: list[DemoPlayer | DemoPeople] = []

    def ready() -> None:
        base = supervisor.settings.base_url
        console.print(f"\nRingward is at [bold]{base}[/bold]   MQTT on port {supervisor.settings.mqtt_port}")
        for title, link in links:
            where = f"{base}/setup/{link}" if link else f"{base}/ (password was chosen before)"
            console.print(f"  {title:<34} {where}")
        secret = credentials.secrets[GUEST_FACE]
        console.print("Send a picture of your own as a gate camera does, with any MQTT client:")
        console.print("  ringward demo --publish DIR")
        console.print(
            f"  or as user {GUEST_FACE}, password {secret}, topic rw/v1/honghua/{GUEST_FACE}/up/event"
        )
        console.print("Ctrl-C stops it.\n")
        story = DemoPlayer(
            "127.0.0.1",
            supervisor.settings.mqtt_port,
            credentials,
            weekday(),
            pictures,
            ground.clock,
            structlog.get_logger("demo"),
        )
        people = DemoPeople(ground.database, ground.clock)
        player.extend((story, people))
        story.start()
        people.start()

    def stop_story() -> None:
        for story in player:
            story.stop()

    try:
        supervisor.run(ready, before_stop=stop_story)
    finally:
        stop_story()


def _accounts(ground: Foundation) -> list[tuple[str, str | None]]:
    """People who may sign in: nobody has a password until they choose one."""
    link = firststart.link_for
    return [
        ("operator 值班员 (console)", link(ground, "operator", Role.OPERATOR, f"{PREFIX}-operator-1")),
        ("volunteer 义警 (phone)", link(ground, "volunteer", Role.VOLUNTEER, f"{PREFIX}-police-1")),
        ("guard 门岗 (phone)", link(ground, "guard", Role.VOLUNTEER, f"{PREFIX}-guard-1")),
        (
            "property manager 物业 (registry)",
            link(ground, "manager", Role.PROPERTY_MANAGER, f"{PREFIX}-property-1"),
        ),
        ("resident 居民 (my data)", link(ground, "resident", Role.RESIDENT, person_id=cast.RESIDENT_A)),
        ("administrator 管理员", firststart.administrator_link(ground)),
    ]


def _publish(data_dir: Path, folder: Path) -> None:
    note = data_dir / "running.json"
    if not note.exists():
        raise fail(f"no demo is running on {data_dir}: start `ringward demo` first")
    running = msgspec.json.decode(note.read_bytes(), type=Running)
    with opened(settings(data_dir=data_dir)) as ground:
        credentials = build_demo(ground.database, ground.media, ground.clock, data_dir)
        try:
            publish_folder(
                folder, "127.0.0.1", running.mqtt_port, credentials, ground.clock, out=console.print
            )
        except NotADirectoryError:
            raise fail(f"{folder} is not a folder") from None
        except DeviceRefusedError as error:
            raise fail(str(error)) from None
