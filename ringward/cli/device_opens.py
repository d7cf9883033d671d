"""`ringward device opens`: which door opens for whoever is recognised at a camera."""

from typing import Annotated

import typer

from devices import openings
from devices.models import Device
from registry.errors import MissingError
from ringward.cli.common import console, fail
from ringward.cli.device_steps import CLI, DataDir, editing


def opens(
    camera: Annotated[str, typer.Argument(help="Id of the camera.")],
    opener: Annotated[
        str | None, typer.Argument(help="Id of the door, turnstile or barrier before it.")
    ] = None,
    door: Annotated[int, typer.Option(min=0, max=3, help="Which of the opener's doors.")] = 0,
    never: Annotated[bool, typer.Option("--never", help="Nothing opens any more.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Let a door open for whoever is recognised at a camera in time and may enter; without it none does.

    Without an opener it says what is so now.

    Example: ringward device opens hall7-cam hall7-door --door 0
    """
    with editing(camera, data_dir) as (session, device, at):
        if never:
            openings.never(session, device, at, CLI)
        elif opener is not None:
            known = session.get(Device, opener)
            if known is None:
                raise fail(f"no device {opener}")
            try:
                openings.allow(session, device, known, door, at, CLI)
            except MissingError:
                raise fail(f"{opener} is in another compound") from None
        row = openings.of_camera(session, camera)
        said = f"opens {row.opener} door {row.door}" if row is not None else "opens nothing"
    console.print(f"{camera} {said}", markup=False)
