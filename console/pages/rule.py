"""One rule: what it asks, its numbers with what they trade, and changing them after a try on the past."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from alerts.rulebook import trials
from console.accounts.models import User
from console.api import rule_trials, rules
from console.api.rule_trials import RuleChangeAsked, TrialAsked
from console.api.rules import RuleView
from console.context import rooms
from console.pages.forms import Filled, Typed
from console.pages.registry_reads import user_names
from console.pages.view import frame, render
from console.permissions import Action, may
from console.problems import ProblemError, not_found
from registry.errors import RefusedError, StaleEditError

router = APIRouter(prefix="/console/rules")
Reader = Annotated[User, may(Action.RULES_READ)]
Editor = Annotated[User, may(Action.RULES_EDIT)]

_VERSIONS_SHOWN: Final = 8
_USUAL_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Form:
    """The form as it is shown: what was typed, and by field what is wrong with it."""

    typed: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    refused: str | None = None
    stale: bool = False
    # The trial of somebody else that is in the way.
    running: str | None = None

    def value(self, name: str, otherwise: object) -> str:
        """What stands in a field."""
        if name in self.typed:
            return self.typed[name]
        return f"{otherwise:g}" if isinstance(otherwise, float) else str(otherwise)


@router.get("/{rule_id}")
def page(request: Request, user: Reader, rule_id: str, saved: int = 0) -> Response:
    """The rule as it runs here; `saved` is the version that was just made."""
    return _page(request, user, rule_id, Form(), saved=saved)


@router.post("/{rule_id}/trials")
def try_it(request: Request, user: Editor, rule_id: str, typed: Filled) -> Response:
    """Tries the form's numbers on the past; what cannot be right stays beside its field as typed."""
    here, language = rooms(request), frame(request).t.lang
    rule = _rule(request, user, rule_id)
    fields = {name: values[-1] for name, values in typed.fields.items()}
    change, faults = _asked(rule, typed)
    if faults:
        return _page(request, user, rule_id, Form(fields, faults, "rule_numbers"), status=422)
    days = int(typed("days")) if typed("days").isdecimal() else _USUAL_DAYS
    since = int(typed("since")) if typed("since").isdecimal() else 0
    asked = TrialAsked(since=since, days=days, change=change)
    try:
        trial = rule_trials.ask_trial(here, user, asked, language)
    except StaleEditError:
        return _page(request, user, rule_id, Form(fields, stale=True), status=409)
    except RefusedError as error:
        running = error.facts.get("trial")
        return _page(request, user, rule_id, Form(fields, refused=error.code, running=running), status=409)
    except ProblemError as error:
        found = error.problem.facts.get("findings", []) if error.problem.status == 422 else []
        if error.problem.status not in {422, 503}:
            raise
        faults = {_field(rule_id, one["where"]): one["text"] for one in found if one["level"] == "error"}
        form = Form(fields, faults, "rule_numbers" if faults else error.problem.code)
        return _page(request, user, rule_id, form, status=error.problem.status)
    return RedirectResponse(f"/console/rules/trials/{trial.id}", 303)


def _asked(rule: RuleView, typed: Typed) -> tuple[RuleChangeAsked, dict[str, str]]:
    """What the form asks for, and the fields in which no number stands."""
    values: dict[str, float] = {}
    severities: dict[str, int] = {}
    faults: dict[str, str] = {}
    for one in rule.parameters:
        name = f"value.{one.name}"
        if name in typed.fields:
            try:
                values[one.name] = float(typed(name))
            except ValueError:
                faults[name] = ""
    for level in rule.severities:
        name = f"severity.{level.level}"
        if typed(name).isdecimal():
            severities[level.level] = int(typed(name)[:4])
    # A box that is not ticked is not sent: the form says that it has one.
    enabled = "enabled" in typed.fields if "switch" in typed.fields else None
    return RuleChangeAsked(rule=rule.id, enabled=enabled, values=values, severities=severities), faults


def _field(rule_id: str, where: str) -> str:
    """The form's field that a finding of the file is about."""
    name = where.removeprefix(f"rules.{rule_id}").lstrip(".")
    if not name or name == "enabled":
        return "enabled"
    return name if name.startswith("severity.") else f"value.{name}"


def _rule(request: Request, user: User, rule_id: str) -> RuleView:
    shown = rules.rules(rooms(request), user, frame(request).t.lang)
    found = next((rule for rule in shown.rules if rule.id == rule_id), None)
    if found is None:
        raise not_found("rule")
    return found


def _page(
    request: Request, user: User, rule_id: str, form: Form, *, saved: int = 0, status: int = 200
) -> Response:
    here, view = rooms(request), frame(request)
    rule = _rule(request, user, rule_id)
    versions: Sequence[rules.VersionView] = rules.rule_versions(here, user)
    newest = versions[0] if versions else None
    with here.database.read() as session:
        authors = user_names(session, [one.author for one in versions])
        running = trials.running_now(session, here.compound) if view.may(Action.RULES_EDIT) else None
        running_id = running.id if running is not None else None
    return render(
        view,
        "rule.html",
        status=status,
        rule=rule,
        form=form,
        newest=newest,
        number=newest.number if newest else 0,
        versions=versions[:_VERSIONS_SHOWN],
        authors=authors,
        spans=trials.SPANS,
        usual_days=_USUAL_DAYS,
        running=form.running or running_id,
        # Whatever else is written in the address: only a version that there is.
        saved=saved if any(one.number == saved for one in versions) else 0,
    )
