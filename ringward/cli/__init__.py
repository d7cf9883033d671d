"""The command line: `ringward up | run | demo | doctor | user | device | enrol | mute | bench`."""

import typer

from ringward.cli import bench, demo, devices, doctor, enrol, keep, mute, up, users

app = typer.Typer(
    name="ringward",
    help="Ringward (守圈): event-driven security for residential compounds.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("run")(up.run)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("enrol")(enrol.enrol)
app.command("mute")(mute.mute)
app.command("keep")(keep.keep)
app.add_typer(users.app, name="user")
app.add_typer(devices.app, name="device")
app.add_typer(bench.app, name="bench")

__all__ = ["app"]
