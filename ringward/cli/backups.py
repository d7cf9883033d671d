"""`ringward backup` and `ringward restore`."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from typer.core import TyperGroup

from ringward import backup as backups
from ringward import following
from ringward import restore as restoring
from ringward.cli import progress
from ringward.cli.common import console, fail, opened, settings
from ringward.keysfile import check_keys
from ringward.manifest import KEYS_FILE, Manifest, walk
from ringward.settings import Settings
from storage import SystemClock
from storage.archive import ArchiveError

LEAST_PASSPHRASE = 12


class _Destination(TyperGroup):
    """`ringward backup DEST` is `ringward backup make DEST`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["make", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Destination,
    help="Back up database, pictures and keys into a folder: ringward backup DEST",
    no_args_is_help=True,
)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(help="Its first line is the passphrase; otherwise RINGWARD_BACKUP_PASSPHRASE."),
]


@app.command("make")
def make(
    destination: Annotated[Path, typer.Argument(help="A folder, best on another machine's disk.")],
    keys_only: Annotated[
        bool, typer.Option("--keys-only", help="Only replace the copy of the keys, after an erasure.")
    ] = False,
    label: Annotated[str | None, typer.Option(help="A short name for erasure receipts.")] = None,
    passphrase_file: PassphraseFile = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Write an encrypted archive and read it back; replace the copy of the keys beside it.

    Example: ringward backup /mnt/nas/ringward --label nas
    """
    loaded = settings(data_dir=data_dir)
    passphrase = _passphrase(loaded, passphrase_file)
    try:
        with opened(loaded) as ground, progress.shown(quiet=as_json) as report:
            if keys_only:
                copied = backups.make_keys_only(ground, destination, passphrase, label=label)
                said: dict[str, Any] = {"keys": copied.keys, "forgotten": copied.shredded}
            else:
                made = backups.make(ground, destination, passphrase, label=label, progress=report)
                said = {
                    "archive": str(made.archive),
                    "size": made.size,
                    "keys": made.keys.keys,
                    "forgotten": made.keys.shredded,
                } | _counts(made.manifest)
    except BlockingIOError:
        raise fail("another backup into this folder is running") from None
    except (ArchiveError, OSError) as error:
        raise fail(_words(error)) from None
    _print(said, as_json=as_json)


@app.command("follow")
def follow(
    destination: Annotated[Path, typer.Argument(help="A folder, best on another machine's disk.")],
    every: Annotated[float, typer.Option(min=1, max=3600, help="Seconds between two looks.")] = 60,
    base_every: Annotated[
        float, typer.Option(min=0.1, max=720, help="Hours from one whole copy to the next.")
    ] = 24,
    keep_days: Annotated[float, typer.Option(min=1, max=3650, help="How far back one can go.")] = 7,
    once: Annotated[bool, typer.Option("--once", help="One turn, then end: for a timer.")] = False,
    label: Annotated[str | None, typer.Option(help="A short name for erasure receipts.")] = None,
    passphrase_file: PassphraseFile = None,
    data_dir: DataDir = None,
) -> None:
    """Copy what changes, again and again, until it is stopped; `ringward restore --until` goes back.

    A look that is rarer loses more when the machine burns; one that is more frequent makes more files.
    Example: ringward backup follow /mnt/nas/ringward --every 60
    """
    loaded = settings(data_dir=data_dir)
    passphrase = _passphrase(loaded, passphrase_file)
    try:
        with opened(loaded) as ground:
            following.run(
                ground,
                destination,
                passphrase,
                every_s=every,
                base_every=dt.timedelta(hours=base_every),
                keep=dt.timedelta(days=keep_days),
                label=label,
                once=once,
            )
    except BlockingIOError:
        raise fail("another process follows into this folder") from None
    except (ArchiveError, OSError) as error:
        raise fail(_words(error)) from None


@app.command("list")
def list_archives(
    destination: Annotated[Path, typer.Argument(help="A folder with archives.")],
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """List the archives in a folder, and whether each was verified when it was made.

    Example: ringward backup list /mnt/nas/ringward
    """
    with opened(settings(data_dir=data_dir)) as ground:
        found = backups.found_at(ground, destination)
    if as_json:
        console.out(msgspec.json.encode({"archives": [_archive(each) for each in found]}).decode())
        return
    for each in found:
        verified = f"verified {each.verified_at:%Y-%m-%d %H:%M}Z" if each.verified_at else "not known here"
        console.print(f"{each.path.name}  {each.size:>12} bytes  {verified}", markup=False)
    if not (destination / KEYS_FILE).exists():
        console.print(f"[red]{KEYS_FILE} is missing: none of these can be restored[/red]")


@app.command("verify")
def verify(
    archive: Annotated[Path, typer.Argument(help="An archive; its keys are checked too.")],
    keys: Annotated[Path | None, typer.Option(help="The copy of the keys, where it lies elsewhere.")] = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Read an archive and the keys through to their ends; exit code 1 when they cannot be trusted.

    Example: ringward backup verify /mnt/nas/ringward/ringward-20261123T040000Z.rwb
    """
    passphrase = _passphrase(settings(), passphrase_file)
    try:
        with progress.shown(quiet=as_json) as report:
            manifest = walk(archive, passphrase, progress=report)
            copied = check_keys(keys or archive.with_name(KEYS_FILE), passphrase)
    except (ArchiveError, OSError) as error:
        raise fail(_words(error)) from None
    _print({"archive": str(archive), "keys": copied.keys} | _counts(manifest), as_json=as_json)


def restore(
    archive: Annotated[
        Path, typer.Argument(help="An archive of `ringward backup`, or a folder of `ringward backup follow`.")
    ],
    data_dir: Annotated[Path, typer.Option(help="A new or empty directory.")],
    until: Annotated[
        str | None,
        typer.Option(
            help="From a folder: the state of this moment, e.g. 2026-11-23T04:00:00Z. Without a zone: UTC."
        ),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help=f"The copy of the keys; beside the archive as {KEYS_FILE}.")
    ] = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a deployment of an archive again, in an empty place, and forget again whom it must.

    Everybody has to sign in anew. Tokens that were revoked after the backup are valid again.

    From a folder that was followed into, SQLite comes back as it was at the last look at or before
    `--until`, PostgreSQL as it was at that very moment; what is said as "state at" is what came back.

    Example: ringward restore /mnt/nas/ringward/ringward-20261123T040000Z.rwb --data-dir /var/lib/ringward
    """
    loaded = settings(data_dir=data_dir)
    passphrase = _passphrase(loaded, passphrase_file)
    if archive.is_dir():
        _restore_followed(archive, loaded, passphrase, _moment(until), keys, as_json=as_json)
        return
    if until is not None:
        raise fail("--until goes with a folder of `ringward backup follow`; an archive has one moment only")
    try:
        with progress.shown(quiet=as_json) as report:
            result = restoring.restore(
                archive,
                keys or archive.with_name(KEYS_FILE),
                loaded,
                passphrase,
                SystemClock(),
                progress=report,
            )
    except (ArchiveError, OSError) as error:
        raise fail(_words(error)) from None
    said = {
        "data_dir": str(data_dir),
        "keys": result.keys.keys,
        "forgotten_again": result.forgotten_again,
    } | _counts(result.manifest)
    _print(said, as_json=as_json)


def _restore_followed(
    destination: Path,
    loaded: Settings,
    passphrase: str,
    until: dt.datetime | None,
    keys: Path | None,
    *,
    as_json: bool,
) -> None:
    from ringward import follow as followed

    try:
        with progress.shown(quiet=as_json) as report:
            result = followed.restore(
                destination, loaded, passphrase, SystemClock(), until=until, keys=keys, progress=report
            )
    except (ArchiveError, OSError) as error:
        raise fail(_words(error)) from None
    said = {
        "data_dir": str(loaded.data_dir),
        "state_at": result.state_at.isoformat(),
        "series": result.series,
        "increments": result.steps,
        "rows": result.rows,
        "pictures": result.pictures,
        "pictures_gone": result.pictures_gone,
        "keys": result.keys.keys,
        "forgotten_again": result.forgotten_again,
    }
    _print(said, as_json=as_json)


def _moment(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise fail(f"--until {text}: not a moment like 2026-11-23T04:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def _passphrase(loaded: Settings, file: Path | None) -> str:
    """Never from the command line, where every user of the machine can read it."""
    if file is not None:
        try:
            lines = file.read_text().splitlines()
        except OSError as error:
            raise fail(_words(error)) from None
        passphrase = lines[0].strip() if lines else ""
    else:
        passphrase = loaded.backup_passphrase.get_secret_value() if loaded.backup_passphrase else ""
    if len(passphrase) < LEAST_PASSPHRASE:
        raise fail(
            f"a passphrase of at least {LEAST_PASSPHRASE} characters is needed: "
            "RINGWARD_BACKUP_PASSPHRASE or --passphrase-file"
        )
    return passphrase


def _counts(manifest: Manifest) -> dict[str, Any]:
    return {
        "made_at": manifest.made_at.isoformat(),
        "schema": manifest.revision,
        "sha256": manifest.sha256,
        "rows": manifest.rows,
        "tables": {name: count for name, count in manifest.tables.items() if count},
        "pictures": manifest.pictures,
        "picture_bytes": manifest.picture_bytes,
        "pictures_gone": manifest.gone,
    }


def _archive(found: backups.Archive) -> dict[str, Any]:
    return {
        "file": found.path.name,
        "size": found.size,
        "verified_at": found.verified_at,
        "sha256": found.sha256,
    }


def _print(said: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        console.out(msgspec.json.encode(said).decode())
        return
    for name, value in said.items():
        if isinstance(value, dict):
            for table, count in value.items():
                console.print(f"  {table:<28} {count:>10,}", markup=False)
        else:
            console.print(f"{name.replace('_', ' ')}: {value}", markup=False)


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
