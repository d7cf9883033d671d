"""`ringward ca`: a private authority for the certificates of one site."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from ringward import authority
from ringward.authority import Authority, AuthorityError, Issued, KeyType, Kind, Reason
from ringward.cli.common import console, fail
from storage import SystemClock

LEAST_PASSPHRASE = 12

app = typer.Typer(
    help="A private authority: certificates for brokers, database, console and devices.", no_args_is_help=True
)

Folder = Annotated[
    Path, typer.Argument(help="The authority's folder; keep it off the machines that it serves.")
]
Name = Annotated[str, typer.Argument(help="Whom it is for: a host's name, or a device's id.")]
PassphraseFile = Annotated[Path, typer.Option(help="Its first line opens the authority's key.")]
Out = Annotated[Path, typer.Option(file_okay=False, help="Where NAME.crt, NAME.key and ca.crt go.")]
Days = Annotated[int, typer.Option(min=1, max=3650, help="How long it is good.")]
CrlDays = Annotated[
    int,
    typer.Option(
        min=1,
        max=3650,
        help="How long the list of what was revoked is taken. Too short: brokers let nobody in when it is "
        "forgotten. Too long: whoever hides a newer list goes unnoticed.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@app.command("init")
def init(
    folder: Folder,
    passphrase_file: PassphraseFile,
    name: Annotated[str, typer.Option(help="What it calls itself.")] = "Ringward site authority",
    days: Days = 3650,
    crl_days: CrlDays = 365,
) -> None:
    """Make an authority. Its key never leaves the folder and is sealed by the passphrase.

    Example: ringward ca init /root/ringward-ca --passphrase-file /root/ca.pass
    """
    try:
        made = Authority.create(folder, _passphrase(passphrase_file), name, _now(), days, crl_days)
    except AuthorityError as error:
        raise fail(str(error)) from None
    console.print(f"{folder / authority.CERTIFICATE}: give it to whoever has to believe this authority")
    console.print(f"good until {made.certificate.not_valid_after_utc:%Y-%m-%d}")


@app.command("issue")
def issue(
    folder: Folder,
    name: Name,
    passphrase_file: PassphraseFile,
    out: Out,
    kind: Annotated[Kind, typer.Option(help="server, client, or peer for a node of a cluster.")],
    san: Annotated[
        list[str] | None, typer.Option(help="A host name or address by which it is called; again for more.")
    ] = None,
    days: Days = 397,
    key: Annotated[KeyType, typer.Option(help="rsa for devices that know no curves.")] = KeyType.EC,
) -> None:
    """Make a key and a certificate for a server, a client or a device.

    Example: ringward ca issue /root/ringward-ca mqtt --kind server --san mqtt.example --san 10.20.0.5
    --passphrase-file /root/ca.pass --out out
    """
    try:
        made = _opened(folder, passphrase_file).issue(name, kind, san or [], _now(), days, key)
    except (AuthorityError, ValueError) as error:
        raise fail(str(error)) from None
    _hand_out(made, out, folder)


@app.command("renew")
def renew(folder: Folder, name: Name, passphrase_file: PassphraseFile, out: Out, days: Days = 397) -> None:
    """Make a new key and certificate with the same names; the old one is good until its end.

    Example: ringward ca renew /root/ringward-ca mqtt --passphrase-file /root/ca.pass --out out
    """
    try:
        made = _opened(folder, passphrase_file).renew(name, _now(), days)
    except AuthorityError as error:
        raise fail(str(error)) from None
    _hand_out(made, out, folder)


@app.command("revoke")
def revoke(
    folder: Folder,
    name: Name,
    passphrase_file: PassphraseFile,
    reason: Annotated[Reason, typer.Option(help="Why; it stands in the list.")] = Reason.UNSPECIFIED,
    crl_days: CrlDays = 365,
) -> None:
    """Take a name's certificates back. Copy revoked.crl to the brokers and let them read it.

    Example: ringward ca revoke /root/ringward-ca gate1-cam --reason keyCompromise
    --passphrase-file /root/ca.pass
    """
    try:
        taken = _opened(folder, passphrase_file).revoke(name, _now(), reason, crl_days)
    except AuthorityError as error:
        raise fail(str(error)) from None
    console.print(f"revoked: {len(taken)}; copy {folder / authority.REVOKED} to whoever checks it")


@app.command("crl")
def crl(folder: Folder, passphrase_file: PassphraseFile, crl_days: CrlDays = 365) -> None:
    """Sign the list of what was revoked anew, before it is too old.

    Example: ringward ca crl /root/ringward-ca --passphrase-file /root/ca.pass
    """
    try:
        _opened(folder, passphrase_file).sign_revoked(_now(), crl_days)
    except AuthorityError as error:
        raise fail(str(error)) from None
    console.print(str(folder / authority.REVOKED), markup=False)


@app.command("list")
def list_(
    folder: Folder,
    soon: Annotated[int, typer.Option(min=0, help="Exit code 1 where something ends in so many days.")] = 0,
    as_json: AsJson = False,
) -> None:
    """What was issued, and until when; for a timer with --soon 30.

    Example: ringward ca list /root/ringward-ca --soon 30
    """
    now = _now()
    try:
        entries = authority.listed(folder)
        list_ends = authority.list_ends(folder)
    except AuthorityError as error:
        raise fail(str(error)) from None
    newest = {entry.name: entry for entry in entries}
    ending = [
        entry.name
        for entry in newest.values()
        if entry.good(now) and entry.ends_at < now + dt.timedelta(days=soon)
    ]
    if list_ends is not None and list_ends < now + dt.timedelta(days=soon):
        ending.append(authority.REVOKED)
    if as_json:
        said = {"issued": entries, "revoked_list_ends_at": list_ends, "ending": ending}
        print(msgspec.json.encode(said).decode())
    else:
        table = Table("name", "kind", "names", "ends", "")
        for entry in entries:
            state = "revoked" if entry.revoked_at else "" if entry.good(now) else "over"
            table.add_row(entry.name, entry.kind, " ".join(entry.names), f"{entry.ends_at:%Y-%m-%d}", state)
        console.print(table)
        console.print(f"{authority.REVOKED} is taken until {list_ends:%Y-%m-%d}")
        for name in ending:
            console.print(f"[red]ends within {soon} days[/red]: {name}")
    if ending:
        raise typer.Exit(1)


def _hand_out(issued: Issued, out: Path, folder: Path) -> None:
    for path in authority.hand_out(issued, out, folder):
        console.print(str(path), markup=False)
    console.print(f"good until {issued.entry.ends_at:%Y-%m-%d}")


def _opened(folder: Path, passphrase_file: Path) -> Authority:
    return Authority.open(folder, _passphrase(passphrase_file))


def _passphrase(path: Path) -> bytes:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise fail(f"{path}: {error.strerror}") from None
    found = lines[0] if lines else ""
    if len(found) < LEAST_PASSPHRASE:
        raise fail(f"the passphrase has fewer than {LEAST_PASSPHRASE} characters")
    return found.encode()


def _now() -> dt.datetime:
    # A certificate knows whole seconds.
    return SystemClock().now().replace(microsecond=0)
