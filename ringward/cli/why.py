"""`ringward why`: what made an incident, and what would have made it otherwise."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from alerts.incidents.models import Incident
from ringward.cli.common import fail, opened, settings
from ringward.cli.rules_words import Language, texts_in
from ringward.rehearsal.because import NoIncidentError
from ringward.rehearsal.because import why as because
from ringward.rehearsal.saying import as_json, lines


def why(
    incident: Annotated[str, typer.Argument(help="Its id.")],
    json_: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    lang: Language = None,
    data_dir: Annotated[Path | None, typer.Option(help="Which deployment.")] = None,
) -> None:
    """Print the inputs, the window, the parameters and the nearest counterfactuals of an incident.

    Each counterfactual was tried: the rule was run on the stored past with that one thing changed.

    Example: ringward why 01JDB5Z7W0Q2 --lang en
    """
    texts = texts_in(lang)
    errors = Console(stderr=True)
    with opened(settings(data_dir=data_dir)) as ground:
        with ground.database.read() as session:
            row = session.get(Incident, incident)
            compound = None if row is None else row.compound
        if compound is None:
            raise fail(texts("why.missing", incident=incident))
        try:
            with errors.status("…"):
                found = because(ground.database, compound, incident)
        except NoIncidentError:
            raise fail(texts("why.missing", incident=incident)) from None
    if json_:
        sys.stdout.write(msgspec.json.encode(as_json(found)).decode() + "\n")
        return
    out = Console(highlight=False, soft_wrap=True)
    for line in lines(found, texts):
        if line.startswith("# "):
            out.print(
                f"\n[bold]{line[2:]}[/bold]" if out.is_terminal else f"\n{line[2:]}", markup=out.is_terminal
            )
        else:
            out.print(f"  {line}", markup=False)
