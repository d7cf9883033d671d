"""`ringward device stream`: a camera whose stream of events is read, and how that goes."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from sqlalchemy import select

from devices import streams
from devices.models import Device
from devices.streams import KINDS, DeviceStream, StreamGiven
from registry.errors import RefusedError
from ringward.checkup import Finding
from ringward.cli.common import console, fail, settings
from ringward.cli.device_steps import CLI, DataDir, DeviceId, editing
from storage import Database

_REFUSED: Final = {
    "stream_unknown": f"its adapter has no stream; there are: {', '.join(KINDS)}",
    "stream_url_bad": "the address is http://host or https://host, with a port where it is needed",
    "stream_address_refused": "that address is in none of the networks of cameras (setting stream_networks)",
    "stream_login_bad": "user and password have 1 to 128 characters that can be printed",
    "stream_certificate_bad": "the certificate is no PEM",
    "no_stream": "it has no stream: give --url and --user",
    "behind_gateway": "it speaks through a gateway: read the gateway's stream",
}
_ADVICE: Final = {
    "auth_failed": "User or password is wrong; it is tried again after 15 minutes, so that the camera does "
    "not lock the account. Enter them anew: ringward device stream ID --url … --user …",
    "forbidden": "The user may not: give it the right to be notified of events. Or too many are connected.",
    "not_found": "The camera knows no such stream: is it the maker that is registered?",
    "address_refused": "Its name leads to an address that is in none of the setting stream_networks.",
    "unreachable": "Is it on, and in this network? Try its address in a browser.",
    "tls_failed": "Its certificate is not believed: give it with --certificate, or use http.",
    "silent": "It says nothing for longer than its heartbeat in the registry: is its event stream turned on?",
    "not_a_stream": "Something else answers there.",
    "no_room": "Disk or spool are full.",
    "too_many": "More streams than the setting stream_most.",
}
_OTHERWISE: Final = "It is called again by itself."


def stream(
    device_id: DeviceId,
    url: Annotated[str | None, typer.Option(help="The camera's address: http://192.168.10.21")] = None,
    user: Annotated[str | None, typer.Option(help="Who may be notified there, no more.")] = None,
    kind: Annotated[str | None, typer.Option(help="Which stream, where its maker has several.")] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="PEM: the certificate it shows over https."),
    ] = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Go on reading it, or stop.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Forget address, user and password.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Have a camera's stream of events read: for cameras that do not push.

    The password is asked for, or read from the standard input where that is no terminal.

    Example: ringward device stream gate1-cam --url http://192.168.10.21 --user ringward
    """
    given = _given(url, user, kind, certificate)
    if (given is not None) + (on is not None) + remove != 1:
        raise fail("give --url and --user, or --on, --off or --remove")
    allowed = settings(data_dir=data_dir).near_networks
    with editing(device_id, data_dir) as (session, device, at):
        try:
            if given is not None:
                streams.attach(session, device, given, allowed, at, CLI)
            elif on is not None:
                streams.switch(session, device, on, at, CLI)
            elif not streams.detach(session, device, at, CLI):
                raise fail(_REFUSED["no_stream"])
        except RefusedError as refused:
            if refused.code not in _REFUSED:
                raise
            raise fail(_REFUSED[refused.code]) from None
    if given is not None:
        console.print(f"It is called within seconds: ringward device show {device_id}")


def _given(
    url: str | None, user: str | None, kind: str | None, certificate: Path | None
) -> StreamGiven | None:
    if url is None and user is None:
        if kind is not None or certificate is not None:
            raise fail("--kind and --certificate belong to --url and --user")
        return None
    if url is None or user is None:
        raise fail("--url and --user go together")
    if kind is not None and kind not in KINDS:
        raise fail(_REFUSED["stream_unknown"])
    if sys.stdin.isatty():
        password = typer.prompt("Password at the camera", hide_input=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    pem = certificate.read_text(errors="replace") if certificate else None
    return StreamGiven(url, user, password, kind, pem)


def told(row: DeviceStream | None) -> dict[str, Any] | None:
    """A stream in plain values, for `ringward device show`; no password, no user."""
    if row is None:
        return None
    return {
        "kind": row.kind,
        "url": row.url,
        "enabled": row.enabled,
        "connected_since": row.connected_since.isoformat() if row.connected_since else None,
        "last_part": row.last_part_at.isoformat() if row.last_part_at else None,
        "error": row.error,
        "error_since": row.error_at.isoformat() if row.error_at else None,
    }


def in_short(row: DeviceStream | None) -> str | None:
    """A stream in a word, for `ringward device list`: off, connected, an error's code, or not yet called."""
    if row is None:
        return None
    if not row.enabled:
        return "off"
    return row.error or ("connected" if row.connected_since else "not_called")


def findings(database: Database) -> Iterator[Finding]:
    """What `ringward doctor` says of streams; nothing where none is to be read."""
    with database.read() as session:
        rows = session.scalars(
            select(DeviceStream)
            .join(Device, Device.id == DeviceStream.device_id)
            .where(DeviceStream.enabled, Device.enabled, Device.retired_at.is_(None))
            .order_by(DeviceStream.device_id)
        ).all()
        failing = [(row.device_id, row.error, row.error_at) for row in rows if row.error is not None]
    if rows:
        seen = f"{len(rows) - len(failing)} of {len(rows)} without an error"
        yield Finding("streams of cameras", True, seen)
    for device_id, error, since in failing:
        seen = f"{error} since {since:%Y-%m-%d %H:%M} UTC" if since else str(error)
        advice = _ADVICE.get(str(error), _OTHERWISE).replace("ID", device_id)
        yield Finding(f"stream of {device_id}", False, seen, advice)
