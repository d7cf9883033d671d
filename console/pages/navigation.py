"""Where each role finds its pages: the home page, the menu, and the tabs of the registry.

A role sees a link where it may do something behind it, and no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from console.accounts.models import Role, User
from console.permissions import Action, allowed

HOME: Final[Mapping[Role, str]] = {
    Role.OPERATOR: "/console",
    Role.ADMINISTRATOR: "/console",
    Role.VOLUNTEER: "/phone",
    Role.PROPERTY_MANAGER: "/registry",
    Role.GUARD: "/registry",
    Role.GRID_WORKER: "/registry",
    Role.AUDITOR: "/audit",
    Role.RESIDENT: "/my",
    # Orders and disclosures of the police go through the API; here is their account.
    Role.POLICE: "/my",
    # A terminal asks the API with a token and signs in nowhere.
    Role.DEVICE: "/my",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a menu; `key` is its text's. `current`: it leads to the page that is shown."""

    path: str
    key: str
    current: bool


# A path, its text, and the actions of which any one shows it.
_Row = tuple[str, str, tuple[Action, ...]]

_MENU: Final[tuple[_Row, ...]] = (
    ("/console", "nav.live", (Action.INCIDENTS_READ,)),
    ("/phone", "nav.tasks", (Action.TASKS,)),
    ("/phone/patrol", "nav.patrol", (Action.PATROLS_WALK,)),
    ("/console/patrols", "nav.patrols", (Action.PATROLS_READ,)),
    ("/phone/duty", "duty.link", (Action.DUTY_OWN,)),
    ("/console/roster", "nav.roster", (Action.ROSTERS_EDIT, Action.INCIDENTS_READ)),
    ("/console/devices", "nav.devices", (Action.DEVICES_READ,)),
    ("/console/refused", "nav.refused", (Action.EVENTS_READ,)),
    ("/console/rules", "nav.rules", (Action.RULES_READ,)),
    ("/console/routes", "nav.routes", (Action.ROUTES_READ,)),
    ("/console/recognition", "nav.recognition", (Action.RECOGNITION_READ,)),
    ("/console/reviews", "nav.reviews", (Action.REVIEWS_READ,)),
    ("/console/handovers", "nav.handovers", (Action.HANDOVERS_READ,)),
    ("/console/disputes", "nav.disputes", (Action.DISPUTES,)),
    ("/console/work-orders", "nav.work_orders", (Action.WORK_ORDERS_READ,)),
    ("/console/drills", "nav.drills", (Action.DRILLS,)),
    ("/phone/report", "nav.report", (Action.REPORT_IN,)),
    ("/registry", "nav.registry", (Action.PEOPLE_FIND, Action.ENTRY_CHECK)),
    ("/erasures", "nav.erasures", (Action.ERASURES_READ,)),
    ("/audit", "nav.audit", (Action.AUDIT_READ,)),
)
_REGISTRY: Final[tuple[_Row, ...]] = (
    ("/registry", "nav.find", (Action.PEOPLE_FIND,)),
    ("/registry/gate", "nav.gate", (Action.ENTRY_CHECK,)),
    ("/console/people", "nav.people", (Action.PEOPLE_EDIT,)),
    ("/registry/reports", "nav.reports", (Action.REPORTS_READ,)),
    ("/registry/import", "nav.import", (Action.REGISTRY_IMPORT,)),
)

_REVIEWS: Final[tuple[_Row, ...]] = (
    ("/console/reviews", "nav.reviews", (Action.REVIEWS_READ,)),
    ("/console/measures", "nav.measures", (Action.REVIEWS_READ,)),
    ("/console/reports/month", "nav.month", (Action.REVIEWS_READ,)),
)


def home_of(role: str) -> str:
    """The page a role works on."""
    return HOME[Role(role)]


def menu(user: User | None, path: str) -> list[Link]:
    """The menu of a user who looks at a path; empty where there is nothing to choose between."""
    if user is None:
        return []
    rows = [row for row in _MENU if _shown(user, row)]
    links = _links(rows, _under(path))
    return links if len(links) > 1 else []


def _under(path: str) -> str:
    """The path of the menu's link under which a page with tabs of its own lies."""
    if path.startswith("/console/people"):
        return "/registry"
    return "/console/reviews" if path.startswith(("/console/measures", "/console/reports")) else path


def review_tabs(user: User | None, path: str) -> list[Link]:
    """The tabs of the pages on what was learnt."""
    return _links([row for row in _REVIEWS if user is not None and _shown(user, row)], path)


def registry_tabs(user: User | None, path: str) -> list[Link]:
    """The tabs of the registry's pages."""
    rows = [row for row in _REGISTRY if user is not None and _shown(user, row)]
    return _links(rows, path) if len(rows) > 1 else []


def _shown(user: User, row: _Row) -> bool:
    if row[0] == "/phone/duty" and user.responder_id is None:
        # Nobody's duty is theirs.
        return False
    if row[0] in {"/phone", "/phone/patrol"} and allowed(user, Action.INCIDENTS_READ):
        # Who works in the control room is sent somewhere only where they are a responder too.
        return user.responder_id is not None
    return any(allowed(user, action) for action in row[2])


def _links(rows: list[_Row], path: str) -> list[Link]:
    # Of "/console" and "/console/devices" the longer one is where "/console/devices/cam-1" lies.
    within = [row[0] for row in rows if path == row[0] or path.startswith(f"{row[0]}/")]
    here = max(within, key=len, default=None)
    return [Link(row[0], row[1], row[0] == here) for row in rows]
