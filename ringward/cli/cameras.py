"""`ringward cameras`: how each camera is looked at."""

from typing import Annotated, Any, Final

import msgspec
import typer
from rich.table import Column, Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from devices.models import Device
from recognition import cameras
from recognition.cameras import DEADLINE_MS, FPIR, MIN_REGION, SMALLEST_FACE_PX
from recognition.models import CameraView, Policy
from registry.errors import RefusedError
from ringward.cli.common import console, fail, opened, settings
from ringward.cli.device_steps import CLI, DataDir, DeviceId, editing

app = typer.Typer(help="How cameras are looked at.", no_args_is_help=True)

_REFUSED: Final = {
    "view_region_bad": "--region is left,top,right,bottom in shares 0..1 of the picture, such as "
    f"0.1,0.2,0.9,1, and at least {MIN_REGION:g} wide and high",
    "view_smallest_face_bad": f"--smallest-face is {SMALLEST_FACE_PX[0]} to {SMALLEST_FACE_PX[1]} pixels",
    "view_fpir_bad": f"--fpir is a share between {FPIR[0]:g} and {FPIR[1]:g}",
    "view_low_score_bad": "--low-score is between 0 and 1",
    "view_deadline_bad": f"--deadline-ms is {DEADLINE_MS[0]} to {DEADLINE_MS[1]}",
}
_BY_OPTION: Final = {
    "region": "region",
    "smallest-face": "smallest_face_px",
    "policy": "policy",
    "fpir": "fpir",
    "low-score": "low_score",
    "deadline-ms": "deadline_ms",
}


@app.command("show")
def show(
    device_id: Annotated[
        str | None, typer.Argument(help="One device; else all of which something was said.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show how cameras are looked at; a dash leaves it to the settings.

    Example: ringward cameras show gate1-cam
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        if device_id is not None and session.get(Device, device_id) is None:
            raise fail(f"no device {device_id}")
        ids = (
            [device_id]
            if device_id
            else session.scalars(select(CameraView.device).order_by(CameraView.device))
        )
        found = [_told(session, one) for one in ids]
    if as_json:
        console.out(msgspec.json.encode({"cameras": found}).decode())
        return
    table = Table(
        "camera",
        Column("region", no_wrap=True),
        "smallest face",
        "policy",
        "fpir",
        "low score",
        "deadline",
        "shift",
    )
    for one in found:
        region = ",".join(f"{share:g}" for share in one["region"]) if one["region"] else "whole"
        others = (one[name] for name in ("smallest_face_px", "policy", "fpir", "low_score", "deadline_ms"))
        table.add_row(
            one["device"],
            region,
            *(
                "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
                for value in others
            ),
            f"{one['threshold_shift']:+g}" if one["threshold_shift"] else "-",
        )
    console.print(table)


@app.command("set")
def change(
    device_id: DeviceId,
    region: Annotated[
        str | None, typer.Option(help="left,top,right,bottom in shares 0..1 of the picture.")
    ] = None,
    smallest_face: Annotated[
        int | None, typer.Option(help="Shorter side, in pixels, of the smallest face that is looked for.")
    ] = None,
    policy: Annotated[
        Policy | None, typer.Option(help="When our engines look at what a terminal recognised itself.")
    ] = None,
    fpir: Annotated[
        float | None, typer.Option(help="Strangers' passages that may be named, as a share: 1e-4.")
    ] = None,
    low_score: Annotated[
        float | None, typer.Option(help="A terminal's own score, 0..1, below which our engines look as well.")
    ] = None,
    deadline_ms: Annotated[
        int | None, typer.Option(help="From the picture to when whoever stood there has gone.")
    ] = None,
    reset: Annotated[
        list[str] | None, typer.Option(help=f"Back to the settings: {', '.join(_BY_OPTION)}. Several times.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Change how a camera is looked at; what is not said stays. It counts from the next picture on.

    Example: ringward cameras set gate1-cam --region 0.1,0.2,0.9,1 --smallest-face 90 --fpir 1e-4
    """
    given = {
        "region": None if region is None else _shares(region),
        "smallest_face_px": smallest_face,
        "policy": policy,
        "fpir": fpir,
        "low_score": low_score,
        "deadline_ms": deadline_ms,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for option in reset or []:
        if option not in _BY_OPTION:
            raise fail(f"--reset is one of {', '.join(_BY_OPTION)}")
        if _BY_OPTION[option] in changes:
            raise fail(f"--{option} is set and reset at once")
        changes[_BY_OPTION[option]] = None
    if not changes:
        raise fail(
            "say what is to change: --region, --smallest-face, --policy, --fpir, --low-score, --deadline-ms"
        )
    with editing(device_id, data_dir) as (session, device, at):
        try:
            cameras.change(session, device, changes, at, CLI)
        except RefusedError as refused:
            if refused.code not in _REFUSED:
                raise
            raise fail(_REFUSED[refused.code]) from None


def _shares(region: str) -> list[float]:
    try:
        return [float(share) for share in region.split(",")]
    except ValueError:
        raise fail(_REFUSED["view_region_bad"]) from None


def _told(session: Session, device_id: str) -> dict[str, Any]:
    """One camera in plain values."""
    now = cameras.camera_of(session, device_id)
    return {
        "device": device_id,
        "region": now.view.region,
        "smallest_face_px": now.view.smallest_face_px,
        "policy": str(now.policy),
        "fpir": now.fpir,
        "low_score": now.low_score,
        "deadline_ms": None if now.deadline is None else round(now.deadline.total_seconds() * 1000),
        "threshold_shift": now.threshold_shift,
    }
