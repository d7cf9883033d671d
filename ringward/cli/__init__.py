"""The command line. Each command or family of commands is a file of its own here."""

import typer

from ringward.cli import (
    audits,
    backups,
    bench,
    ca,
    cameras,
    care,
    check_config,
    decode,
    demo,
    devices,
    doctor,
    drill,
    enrol,
    evaluate,
    exports,
    feedback,
    handover,
    imports,
    keep,
    keys,
    letters,
    migrate,
    mode,
    models,
    mute,
    patrols,
    plan,
    replay,
    report,
    roster,
    routes,
    rules,
    shards,
    sim,
    tokens,
    up,
    users,
    why,
)

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
app.command("replay")(replay.replay)
app.command("why")(why.why)
app.command("check-config")(check_config.check_config)
app.command("decode")(decode.decode)
app.command("keep")(keep.keep)
app.command("plan")(plan.plan)
app.command("migrate")(migrate.migrate_command)
app.command("restore")(backups.restore)
app.add_typer(users.app, name="user")
app.add_typer(devices.app, name="device")
app.add_typer(cameras.app, name="cameras")
app.add_typer(tokens.app, name="token")
app.add_typer(letters.app, name="deadletters")
app.add_typer(audits.app, name="audit")
app.add_typer(keys.app, name="keys")
app.add_typer(backups.app, name="backup")
app.add_typer(imports.app, name="import")
app.add_typer(exports.app, name="export")
app.add_typer(feedback.app, name="recognition")
app.add_typer(models.app, name="models")
app.add_typer(bench.app, name="bench")
app.add_typer(shards.app, name="shards")
app.add_typer(ca.app, name="ca")
app.add_typer(evaluate.app, name="eval")
app.add_typer(sim.app, name="sim")
app.add_typer(rules.app, name="rules")
app.add_typer(roster.app, name="roster")
app.add_typer(mode.app, name="mode")
app.add_typer(routes.app, name="routes")
app.add_typer(care.app, name="care")
app.add_typer(handover.app, name="handover")
app.add_typer(report.app, name="report")
app.add_typer(patrols.app, name="patrols")
app.add_typer(drill.app, name="drill")

__all__ = ["app"]
