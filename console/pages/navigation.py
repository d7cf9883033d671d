"""Where each role finds its pages: the home page, the menu, and the tabs beneath it.

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
    Role.POLICE: "/account",
    # A terminal asks the API with a token and signs in nowhere.
    Role.DEVICE: "/account",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a menu; `key` is its text's. `current`: it leads to the page that is shown."""

    path: str
    key: str
    current: bool


# A path, its text, and the actions of which any one shows it.
_Row = tuple[str, str, tuple[Action, ...]]


@dataclass(frozen=True, slots=True)
class _Area:
    """Pages that belong together: one entry of the menu, and tabs beneath it."""

    key: str
    rows: tuple[_Row, ...]


_AREAS: Final[tuple[_Area, ...]] = (
    _Area(
        "area.mine",
        (
            ("/my", "nav.my", (Action.OWN_DATA,)),
            ("/my/visitors", "nav.my_visitors", (Action.OWN_DATA,)),
            ("/my/reports", "nav.my_reports", (Action.OWN_DATA,)),
            ("/my/data", "nav.my_data", (Action.OWN_DATA,)),
            ("/my/looks", "my.looks", (Action.OWN_DATA,)),
            ("/my/rights", "nav.my_rights", (Action.OWN_DATA,)),
        ),
    ),
    _Area("area.live", (("/console", "nav.live", (Action.INCIDENTS_READ,)),)),
    _Area(
        "area.lookback",
        (
            ("/console/history", "nav.history", (Action.INCIDENTS_READ,)),
            ("/console/search", "nav.search", (Action.SEARCH,)),
            ("/console/coverage", "nav.coverage", (Action.EVENTS_READ,)),
            ("/console/reviews", "nav.reviews", (Action.REVIEWS_READ,)),
            ("/console/measures", "nav.measures", (Action.REVIEWS_READ,)),
            ("/console/reports", "nav.figures", (Action.REPORTS_SEE,)),
            ("/console/reports/month", "nav.month", (Action.REVIEWS_READ,)),
        ),
    ),
    _Area(
        "area.tasks",
        (
            ("/phone", "nav.tasks", (Action.TASKS,)),
            ("/phone/patrol", "nav.patrol", (Action.PATROLS_WALK,)),
            ("/phone/duty", "duty.link", (Action.DUTY_OWN,)),
            ("/phone/report", "nav.report", (Action.REPORT_IN,)),
        ),
    ),
    _Area(
        "area.duty",
        (
            ("/console/roster", "nav.roster", (Action.ROSTERS_EDIT, Action.INCIDENTS_READ)),
            ("/console/patrols", "nav.patrols", (Action.PATROLS_READ,)),
            ("/console/handovers", "nav.handovers", (Action.HANDOVERS_READ,)),
            ("/console/disputes", "nav.disputes", (Action.DISPUTES,)),
            ("/console/work-orders", "nav.work_orders", (Action.WORK_ORDERS_READ,)),
            ("/console/drills", "nav.drills", (Action.DRILLS,)),
        ),
    ),
    _Area(
        "area.registry",
        (
            ("/registry", "nav.find", (Action.PEOPLE_FIND,)),
            ("/registry/gate", "nav.gate", (Action.ENTRY_CHECK,)),
            ("/registry/passes", "nav.passes", (Action.PASSES_USE, Action.PEOPLE_EDIT)),
            ("/console/watchlist", "nav.watchlist", (Action.WATCHLIST_READ,)),
            ("/registry/reports", "nav.reports", (Action.REPORTS_READ,)),
            ("/registry/import", "nav.import", (Action.REGISTRY_IMPORT,)),
        ),
    ),
    _Area(
        "area.devices",
        (
            ("/console/devices", "nav.devices", (Action.DEVICES_READ,)),
            ("/console/refused", "nav.refused", (Action.EVENTS_READ,)),
            ("/console/bench", "nav.bench", (Action.DEVICES_EDIT,)),
            ("/console/recognition", "nav.recognition", (Action.RECOGNITION_READ,)),
        ),
    ),
    _Area(
        "area.rules",
        (
            ("/console/rules", "nav.rules", (Action.RULES_READ,)),
            ("/console/routes", "nav.routes", (Action.ROUTES_READ,)),
        ),
    ),
    _Area(
        "area.oversight",
        (
            ("/audit", "nav.audit", (Action.AUDIT_READ,)),
            ("/oversight/retention", "nav.retention", (Action.RETENTION_READ,)),
            ("/oversight/holds", "nav.holds", (Action.HOLDS_READ,)),
            (
                "/oversight/disclosures",
                "nav.disclosures",
                (Action.DISCLOSURES_REQUEST, Action.DISCLOSURES_APPROVE),
            ),
            ("/oversight/requests", "nav.data_requests", (Action.REQUESTS_HANDLE,)),
            ("/erasures", "nav.erasures", (Action.ERASURES_READ,)),
            ("/oversight/assessments", "nav.assessments", (Action.ASSESSMENT_READ,)),
        ),
    ),
    _Area(
        "area.admin",
        (
            ("/console/users", "nav.users", (Action.USERS_READ,)),
            ("/console/roles", "nav.roles", (Action.USERS_READ,)),
            ("/console/tokens", "nav.tokens", (Action.TOKENS_EDIT,)),
            ("/console/settings", "nav.settings", (Action.SETTINGS_EDIT,)),
        ),
    ),
)
ROWS: Final[tuple[_Row, ...]] = tuple(row for area in _AREAS for row in area.rows)
AREA_KEYS: Final = tuple(area.key for area in _AREAS)
# Up to so many pages stand side by side; whoever has more sees areas, and the area's pages beneath.
FLAT: Final = 6


def home_of(role: str) -> str:
    """The page a role works on."""
    return HOME[Role(role)]


def menu(user: User | None, path: str) -> list[Link]:
    """The menu of a user who looks at a path; empty where there is nothing to choose between."""
    areas = _shown_areas(user)
    rows = [row for _, shown in areas for row in shown]
    here = _here(rows, path)
    if len(rows) <= FLAT:
        return [Link(row[0], row[1], row == here) for row in rows] if len(rows) > 1 else []
    return [
        # An area of one page bears the page's own name.
        Link(shown[0][0], area.key if len(shown) > 1 else shown[0][1], here in shown)
        for area, shown in areas
    ]


def tabs(user: User | None, path: str) -> list[Link]:
    """The pages beside the one that is shown; empty where the menu shows them all or there is one."""
    areas = _shown_areas(user)
    rows = [row for _, shown in areas for row in shown]
    here = _here(rows, path)
    if len(rows) <= FLAT or here is None:
        return []
    beside = next(shown for _, shown in areas if here in shown)
    return [Link(row[0], row[1], row == here) for row in beside] if len(beside) > 1 else []


def _shown_areas(user: User | None) -> list[tuple[_Area, list[_Row]]]:
    if user is None:
        return []
    found = [(area, [row for row in area.rows if _shown(user, row)]) for area in _AREAS]
    return [(area, rows) for area, rows in found if rows]


def _shown(user: User, row: _Row) -> bool:
    if row[0] == "/phone/duty" and user.responder_id is None:
        # Nobody's duty is theirs.
        return False
    if row[0] == "/phone/report" and allowed(user, Action.OWN_DATA):
        # A resident tells it among what is theirs.
        return False
    if row[0] == "/console/settings" and user.compounds is not None:
        # They are the whole deployment's.
        return False
    if row[0] in {"/phone", "/phone/patrol"} and allowed(user, Action.INCIDENTS_READ):
        # Who works in the control room is sent somewhere only where they are a responder too.
        return user.responder_id is not None
    return any(allowed(user, action) for action in row[2])


def _here(rows: list[_Row], path: str) -> _Row | None:
    # Of "/console" and "/console/devices" the longer one is where "/console/devices/cam-1" lies.
    within = [row for row in rows if path == row[0] or path.startswith(f"{row[0]}/")]
    return max(within, key=lambda row: len(row[0]), default=None)
