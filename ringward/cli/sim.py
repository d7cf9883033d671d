"""`ringward sim`: simulated devices of every vendor, against a running Ringward."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from devices.simulator import faults as wrong
from devices.simulator.fleet import MIX, Member, fleet
from devices.simulator.plan import plan
from devices.simulator.play import NotConnectedError, Progress, Target
from ringward.cli.common import console, fail, opened, settings
from ringward.fleet.enlisting import enlist, secrets_file, time_zone_of
from ringward.fleet.outcome import Outcome, drive
from ringward.foundation import Foundation
from ringward.supervisor import Running

app = typer.Typer(help="Simulated devices, for tests and trials.", no_args_is_help=True)

Devices = Annotated[int, typer.Option(min=1, max=5000, help="How many, gateways not counted.")]
Vendor = Annotated[
    list[str] | None, typer.Option(help="Only devices of this adapter; may be given several times.")
]
DataDir = Annotated[Path | None, typer.Option(help="The data directory of the running Ringward.")]
Compound = Annotated[
    str | None, typer.Option(help="The compound that they belong to; made if there is none.")
]


@app.command("register")
def register(
    devices: Devices = 300, vendor: Vendor = None, compound: Compound = None, data_dir: DataDir = None
) -> None:
    """Register the simulated devices, approved at once, and keep their secrets in a file of mode 0600.

    Example: ringward sim register --devices 300
    """
    members = _members(devices, vendor)
    with opened(settings(data_dir=data_dir)) as ground:
        _enlisted(ground, compound or ground.settings.compound, members)
        console.print(
            f"{len(members)} devices are registered; their secrets are in"
            f" {secrets_file(ground.settings.data_dir)}"
        )


@app.command("run")
def run(
    devices: Devices = 300,
    vendor: Vendor = None,
    seed: Annotated[int, typer.Option(help="The same seed is the same day.")] = 7,
    minutes: Annotated[float, typer.Option(min=0.1, max=1440, help="Virtual minutes from seven.")] = 60,
    speed: Annotated[float, typer.Option(min=0.1, max=600, help="Times as fast as real.")] = 60,
    busy: Annotated[float, typer.Option(min=0.01, max=100, help="Times as busy as usual.")] = 1,
    faults: Annotated[str, typer.Option(help="none, mild or harsh.")] = "mild",
    compound: Compound = None,
    host: Annotated[str | None, typer.Option(help="The broker's host; this machine's by default.")] = None,
    port: Annotated[int | None, typer.Option(help="The broker's MQTT port.")] = None,
    push_url: Annotated[str | None, typer.Option(help="The receiver's address, ending in /push.")] = None,
    history: Annotated[
        Path | None, typer.Option(help="Where what the devices believe goes, as lines of JSON.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Let a compound's devices live through an hour, and hold the database against what they were told.

    Ends with 1 where something that was acknowledged is missing, or something is there twice.
    Example: ringward sim run --devices 300 --seed 7 --speed 60 --minutes 60 --faults mild
    """
    if faults not in wrong.LEVELS:
        raise fail(f"faults are one of: {', '.join(wrong.LEVELS)}")
    members = _members(devices, vendor)
    with opened(settings(data_dir=data_dir)) as ground:
        running = _running(ground)
        place = compound or ground.settings.compound
        target = Target(
            place,
            time_zone_of(ground, place),
            host or "127.0.0.1",
            port or (running.mqtt_port if running else ground.settings.mqtt_port),
            push_url or _push_url(ground, running),
            _enlisted(ground, place, members),
        )
        life = plan(members, seed=seed, minutes=minutes, faults=wrong.LEVELS[faults], busy=busy)
        shown = _silent if as_json else _show
        try:
            outcome = drive(ground, target, life, speed=speed, path=history, on_progress=shown)
        except NotConnectedError as error:
            raise fail(f"{error}. Is Ringward running on this data directory?") from None
    if as_json:
        sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
    else:
        _print(outcome)
    if not outcome.verdict.clean:
        raise typer.Exit(1)


def _members(devices: int, vendor: list[str] | None) -> tuple[Member, ...]:
    mix = [line for line in MIX if not vendor or line.wire in vendor]
    if not mix:
        known = ", ".join(sorted({line.wire for line in MIX}))
        raise fail(f"no simulated devices of {', '.join(vendor or [])}; there are: {known}")
    return fleet(devices, mix)


def _enlisted(ground: Foundation, compound: str, members: tuple[Member, ...]) -> dict[str, str]:
    try:
        return enlist(ground, compound, members)
    except ValueError as error:
        raise fail(str(error)) from None


def _running(ground: Foundation) -> Running | None:
    """What `ringward up` has written down of itself, where it runs."""
    try:
        return msgspec.json.decode((ground.settings.data_dir / "running.json").read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None


def _push_url(ground: Foundation, running: Running | None) -> str | None:
    if running is not None and running.push_port:
        return f"http://127.0.0.1:{running.push_port}/push"
    return ground.settings.push_url


def _show(progress: Progress) -> None:
    console.print(
        f"{progress.at_s / 60:5.1f} of {progress.of_s / 60:g} minutes   {progress.connected} connected  "
        f" {progress.told} told   {progress.waiting} waiting"
    )


def _silent(_progress: Progress) -> None:
    """For scripts, which want the object alone."""


def _print(outcome: Outcome) -> None:
    verdict = outcome.verdict
    console.print(
        f"[bold]{outcome.devices} devices, {outcome.minutes:g} minutes in {outcome.seconds:.0f} s[/bold]:"
        f" {verdict.happened} happenings, {outcome.messages} messages told"
    )
    for name in (
        *("acknowledged", "stored", "lost", "doubled", "invented", "refused", "unanswered", "suppressed"),
        *("broken", "letters", "lost_letters", "strange_letters"),
    ):
        console.print(f"  {name:<16} {getattr(verdict, name)}")
    for by, waits in outcome.waits.items():
        console.print(
            f"  {by:<16} p50 {waits.p50_ms:.1f} ms, p99 {waits.p99_ms:.1f} ms ({waits.count} answers)"
        )
    for difference in verdict.differences:
        console.print(f"[red]{difference}[/red]", markup=True)
