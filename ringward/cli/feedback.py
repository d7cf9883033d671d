"""`ringward recognition`: how cameras do by operators' answers, and the thresholds to decide on."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from devices.stages import By
from recognition.feedback import proposals
from recognition.feedback.intervals import Share
from recognition.feedback.score import WINDOW, Score, scores
from recognition.models import ProposalState, ThresholdProposal
from registry.errors import MissingError, RefusedError
from ringward.cli.common import console, fail, opened, settings

app = typer.Typer(help="How recognition does, by operators' answers.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Which deployment.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]
ProposalId = Annotated[str, typer.Argument(help="As `ringward recognition proposals` shows it.")]

_CLI = By("cli", "administrator")


@app.command("score")
def show_score(
    days: Annotated[int, typer.Option(min=1, max=366, help="How far back.")] = WINDOW.days,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show by camera how many names were false, with 95 % intervals.

    Operators are asked where something looked wrong: "of judged" is too high, "of all" counts only
    what was confirmed and is the least there was. Example: ringward recognition score --days 30
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        found = scores(session, ground.settings.compound, ground.clock.now(), dt.timedelta(days=days))
    if as_json:
        body = {"days": days, "cameras": [_as_json(one) for one in found]}
        console.out(msgspec.json.encode(body).decode())
        return
    table = Table("camera", "engine", "named", "not named", "false of judged", "of all", "missed of judged")
    for one in found:
        table.add_row(
            one.looked.device,
            f"{one.looked.engine} {one.looked.engine_version}".strip() or "its own match",
            str(one.tally.named),
            str(one.tally.unnamed),
            _in_words(one.false_of_judged),
            _in_words(one.false_of_named),
            _in_words(one.missed_of_judged),
        )
    console.print(table)


@app.command("proposals")
def list_proposals(
    every: Annotated[bool, typer.Option("--all", help="Also those that were decided on.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """List thresholds that wait for a decision, with the counts they rest on.

    Example: ringward recognition proposals
    """
    with opened(settings(data_dir=data_dir)) as ground, ground.database.read() as session:
        state = None if every else ProposalState.OPEN
        rows = proposals.listed(session, ground.settings.compound, state)
        if as_json:
            console.out(msgspec.json.encode({"proposals": [_plain(row) for row in rows]}).decode())
            return
        for row in rows:
            grounds = row.grounds
            console.print(
                f"{row.id}  {row.device}  {row.engine} {row.engine_version}  "
                f"{row.shift_now:+.3f} → {row.shift_proposed:+.3f} ({grounds.get('towards')})  {row.state}\n"
                f"    false {grounds.get('false')} of {_sum(grounds, 'right', 'false')} judged names; missed "
                f"{grounds.get('missed')} of {_sum(grounds, 'missed', 'strangers')} judged without a name; "
                f"strangers named: {_rate(grounds, 'rate_low')} to {_rate(grounds, 'rate_high')}, promised "
                f"{_rate(grounds, 'promised')}"
            )
        if not rows:
            console.print("nothing is proposed")


@app.command()
def approve(proposal: ProposalId, data_dir: DataDir = None) -> None:
    """Move a camera's threshold as it was proposed.

    Example: ringward recognition approve 9f2c…
    """
    row = _decide(proposal, data_dir, approve=True)
    console.print(f"{row.device}: {row.shift_now:+.3f} → {row.shift_proposed:+.3f}")


@app.command()
def refuse(proposal: ProposalId, data_dir: DataDir = None) -> None:
    """Leave a camera's threshold as it is; the same answers propose nothing again.

    Example: ringward recognition refuse 9f2c…
    """
    row = _decide(proposal, data_dir, approve=False)
    console.print(f"{row.device}: stays at {row.shift_now:+.3f}")


def _decide(proposal: str, data_dir: Path | None, *, approve: bool) -> ThresholdProposal:
    with opened(settings(data_dir=data_dir)) as ground:
        compound, at = ground.settings.compound, ground.clock.now()
        try:
            with ground.database.write() as session:
                return proposals.decide(session, compound, proposal, approve=approve, by=_CLI, at=at)
        except MissingError:
            raise fail(f"no proposal {proposal}") from None
        except RefusedError as error:
            raise fail(_WHY.get(error.code, error.code)) from None


_WHY = {
    "proposal_settled": "it was decided on already, or a newer one took its place",
    "proposal_overtaken": "the camera's threshold or engine is no longer what it was proposed for",
}


def _as_json(one: Score) -> dict[str, Any]:
    return {
        "device": one.looked.device,
        "engine": one.looked.engine or None,
        "engine_version": one.looked.engine_version or None,
        "named": one.tally.named,
        "unnamed": one.tally.unnamed,
        "cannot_tell": one.tally.undecided,
        "false_of_judged": one.false_of_judged,
        "false_of_named": one.false_of_named,
        "missed_of_judged": one.missed_of_judged,
    }


def _plain(row: ThresholdProposal) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in ThresholdProposal.__mapper__.column_attrs}


def _in_words(share: Share) -> str:
    if share.value is None:
        return "-"
    return f"{share.count}/{share.of} {share.value:.2%} ({share.low:.2%}–{share.high:.2%})"


def _rate(grounds: dict[str, Any], name: str) -> str:
    return f"{grounds.get(name, 0.0):.3%}"


def _sum(grounds: dict[str, Any], *names: str) -> int:
    return sum(grounds.get(name, 0) for name in names)
