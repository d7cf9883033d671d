"""Who may do what: one table of actions and roles, which every route refers to.

The table in `docs/roles.md` is made from here, and a test asks every route with every role.
What a role sees of a thing (a guard "belongs / does not belong", a grid worker the own
grid, a resident the own household) is said at the route; here is only who gets that far.
"""

import enum
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from console.accounts.models import Role, User
from console.security import ForbiddenError, current_user, proved

_ADMIN: Final = Role.ADMINISTRATOR
_MANAGER: Final = Role.PROPERTY_MANAGER
_OPERATOR: Final = Role.OPERATOR
_GUARD: Final = Role.GUARD
_GRID: Final = Role.GRID_WORKER
_VOLUNTEER: Final = Role.VOLUNTEER
_POLICE: Final = Role.POLICE
_AUDITOR: Final = Role.AUDITOR
_RESIDENT: Final = Role.RESIDENT
_DEVICE: Final = Role.DEVICE


class Action(enum.StrEnum):
    """Something that a route does for somebody."""

    OWN_ACCOUNT = "own_account"
    PLACES_READ = "places_read"
    PLACES_EDIT = "places_edit"
    NOTES_EDIT = "notes_edit"
    DEVICES_READ = "devices_read"
    # Registering, testing and approving devices, and their secrets.
    DEVICES_EDIT = "devices_edit"
    EVENTS_READ = "events_read"
    # Opening, holding and closing ways, speaking at a gate.
    GATES_COMMAND = "gates_command"
    INCIDENTS_READ = "incidents_read"
    INCIDENTS_DECIDE = "incidents_decide"
    # Who or what was where in the past: with a purpose, written down before it is answered.
    SEARCH = "search"
    # Keeping a view of the history for everybody.
    VIEWS_SHARE = "views_share"
    # What belongs to people's care and not to security (关爱).
    CARE_READ = "care_read"
    TASKS = "tasks"
    MEDIA_VIEW = "media_view"
    PEOPLE_FIND = "people_find"
    PEOPLE_EDIT = "people_edit"
    RESIDENCES_VERIFY = "residences_verify"
    ENTRY_CHECK = "entry_check"
    CREDENTIALS_EDIT = "credentials_edit"
    CONSENTS_RECORD = "consents_record"
    # Noting that somebody who is looked after is away, as they or their family say.
    CARE_AWAY = "care_away"
    FACES_ENROL = "faces_enrol"
    PASSES_READ = "passes_read"
    PASSES_REQUEST = "passes_request"
    PASSES_DECIDE = "passes_decide"
    PASSES_USE = "passes_use"
    WATCHLIST_READ = "watchlist_read"
    WATCHLIST_APPLY = "watchlist_apply"
    WATCHLIST_APPROVE = "watchlist_approve"
    # What an operator sees on the two pictures, and who was taken for whom (L-12).
    SIGHTINGS_ANSWER = "sightings_answer"
    FACE_EXCLUSIONS = "face_exclusions"
    RECOGNITION_READ = "recognition_read"
    THRESHOLDS_DECIDE = "thresholds_decide"
    RULES_READ = "rules_read"
    # The rules file, and the proposals that change it.
    RULES_EDIT = "rules_edit"
    RULES_MUTE = "rules_mute"
    # Heightened or emergency: one asks, another approves.
    MODES_ASK = "modes_ask"
    MODES_APPROVE = "modes_approve"
    REPORTS_READ = "reports_read"
    # Figures of a span of time: counts and times, of nobody.
    REPORTS_SEE = "reports_see"
    REGISTRY_IMPORT = "registry_import"
    REGISTRY_EXPORT = "registry_export"
    REQUESTS_HANDLE = "requests_handle"
    ERASE = "erase"
    ERASURES_READ = "erasures_read"
    TERMINAL_ORDERS = "terminal_orders"
    TERMINAL_LISTS_EDIT = "terminal_lists_edit"
    HOLDS_READ = "holds_read"
    HOLDS_APPLY = "holds_apply"
    HOLDS_APPROVE = "holds_approve"
    DISCLOSURES_REQUEST = "disclosures_request"
    DISCLOSURES_APPROVE = "disclosures_approve"
    DISCLOSURES_DELIVER = "disclosures_deliver"
    ASSESSMENT_READ = "assessment_read"
    ASSESSMENT_MAKE = "assessment_make"
    BREACH_EXPORT = "breach_export"
    RETENTION_READ = "retention_read"
    AUDIT_READ = "audit_read"
    # Who is told what: the tree, and what is kept quiet for a while.
    ROUTES_READ = "routes_read"
    SILENCES_EDIT = "silences_edit"
    # Ways to reach people and things, and who hears of what: one's own, and the compound's.
    CONTACTS_OWN = "contacts_own"
    CONTACTS_EDIT = "contacts_edit"
    NOTIFICATIONS_READ = "notifications_read"
    ROSTERS_READ = "rosters_read"
    ROSTERS_EDIT = "rosters_edit"
    # Checking in and out, asking to swap, one's own hours.
    DUTY_OWN = "duty_own"
    PATROLS_READ = "patrols_read"
    PATROLS_EDIT = "patrols_edit"
    PATROLS_WALK = "patrols_walk"
    # 一事一评: the record, and the rating of who reported or was concerned.
    REVIEWS_READ = "reviews_read"
    REVIEWS_WRITE = "reviews_write"
    RATE = "rate"
    MEASURES_EDIT = "measures_edit"
    HANDOVERS_READ = "handovers_read"
    HANDOVERS_SIGN = "handovers_sign"
    # Reporting something to the control room, and hearing what became of it.
    REPORT_IN = "report_in"
    DISPUTES = "disputes"
    WORK_ORDERS_READ = "work_orders_read"
    WORK_ORDERS_EDIT = "work_orders_edit"
    DRILLS = "drills"
    # The deployment's settings file; those who see the whole deployment alone.
    SETTINGS_EDIT = "settings_edit"
    OWN_DATA = "own_data"
    # Who may sign in. A property manager makes accounts of those who work outside the control
    # room and of residents, and no other (`console.accounts.people.MADE_BY`).
    USERS_READ = "users_read"
    USERS_EDIT = "users_edit"
    # Tokens of programs, whoever's they are.
    TOKENS_EDIT = "tokens_edit"


ALLOWED: Final[dict[Action, frozenset[Role]]] = {
    action: frozenset(roles)
    for action, roles in {
        Action.OWN_ACCOUNT: tuple(Role),
        Action.PLACES_READ: tuple(role for role in Role if role is not _DEVICE),
        Action.PLACES_EDIT: (_ADMIN, _MANAGER),
        Action.NOTES_EDIT: (_ADMIN, _MANAGER, _OPERATOR, _GRID),
        Action.DEVICES_READ: (_ADMIN, _MANAGER, _OPERATOR),
        Action.DEVICES_EDIT: (_ADMIN,),
        Action.EVENTS_READ: (_ADMIN, _OPERATOR),
        Action.GATES_COMMAND: (_ADMIN, _OPERATOR, _GUARD),
        Action.INCIDENTS_READ: (_ADMIN, _OPERATOR),
        Action.INCIDENTS_DECIDE: (_ADMIN, _OPERATOR),
        Action.SEARCH: (_ADMIN, _OPERATOR),
        Action.VIEWS_SHARE: (_ADMIN,),
        Action.CARE_READ: (_ADMIN, _OPERATOR),
        # Whoever can be sent somewhere; they see their own tasks only.
        Action.TASKS: (_ADMIN, _OPERATOR, _GUARD, _GRID, _VOLUNTEER),
        Action.MEDIA_VIEW: (_ADMIN, _OPERATOR),
        Action.PEOPLE_FIND: (_ADMIN, _MANAGER, _OPERATOR, _GRID),
        Action.PEOPLE_EDIT: (_ADMIN, _MANAGER),
        Action.RESIDENCES_VERIFY: (_ADMIN, _MANAGER, _GRID),
        Action.ENTRY_CHECK: (_ADMIN, _MANAGER, _OPERATOR, _GUARD),
        Action.CREDENTIALS_EDIT: (_ADMIN, _MANAGER),
        Action.CONSENTS_RECORD: (_ADMIN, _MANAGER, _OPERATOR),
        Action.CARE_AWAY: (_ADMIN, _MANAGER, _OPERATOR, _GRID),
        Action.FACES_ENROL: (_ADMIN, _MANAGER, _OPERATOR),
        Action.PASSES_READ: (_ADMIN, _MANAGER, _OPERATOR, _GUARD, _RESIDENT),
        Action.PASSES_REQUEST: (_ADMIN, _MANAGER, _OPERATOR, _GUARD, _RESIDENT),
        Action.PASSES_DECIDE: (_ADMIN, _MANAGER, _OPERATOR, _RESIDENT),
        Action.PASSES_USE: (_ADMIN, _OPERATOR, _GUARD),
        Action.WATCHLIST_READ: (_ADMIN, _MANAGER, _OPERATOR, _POLICE, _AUDITOR),
        Action.WATCHLIST_APPLY: (_ADMIN, _MANAGER, _POLICE),
        Action.WATCHLIST_APPROVE: (_ADMIN, _POLICE),
        Action.SIGHTINGS_ANSWER: (_ADMIN, _OPERATOR),
        Action.FACE_EXCLUSIONS: (_ADMIN, _OPERATOR),
        Action.RECOGNITION_READ: (_ADMIN, _OPERATOR, _AUDITOR),
        # Operators' answers propose; somebody else answers for what follows from them.
        Action.THRESHOLDS_DECIDE: (_ADMIN,),
        Action.RULES_READ: (_ADMIN, _MANAGER, _OPERATOR, _AUDITOR),
        Action.RULES_EDIT: (_ADMIN,),
        Action.RULES_MUTE: (_ADMIN, _OPERATOR),
        Action.MODES_ASK: (_ADMIN, _MANAGER, _OPERATOR),
        Action.MODES_APPROVE: (_ADMIN, _MANAGER),
        Action.REPORTS_READ: (_ADMIN, _MANAGER, _GRID),
        Action.REPORTS_SEE: (_ADMIN, _MANAGER, _OPERATOR, _AUDITOR),
        Action.REGISTRY_IMPORT: (_ADMIN, _MANAGER),
        Action.REGISTRY_EXPORT: (_ADMIN, _MANAGER),
        Action.REQUESTS_HANDLE: (_ADMIN, _MANAGER),
        Action.ERASE: (_ADMIN, _MANAGER),
        Action.ERASURES_READ: (_ADMIN, _MANAGER, _AUDITOR),
        Action.TERMINAL_ORDERS: (_DEVICE,),
        Action.TERMINAL_LISTS_EDIT: (_ADMIN, _MANAGER),
        Action.HOLDS_READ: (_ADMIN, _OPERATOR, _POLICE, _AUDITOR),
        Action.HOLDS_APPLY: (_ADMIN, _OPERATOR, _POLICE),
        Action.HOLDS_APPROVE: (_ADMIN, _AUDITOR),
        Action.DISCLOSURES_REQUEST: (_ADMIN, _POLICE),
        Action.DISCLOSURES_APPROVE: (_ADMIN, _MANAGER),
        Action.DISCLOSURES_DELIVER: (_ADMIN, _POLICE),
        Action.ASSESSMENT_READ: (_ADMIN, _MANAGER, _AUDITOR),
        Action.ASSESSMENT_MAKE: (_ADMIN,),
        Action.BREACH_EXPORT: (_ADMIN,),
        Action.RETENTION_READ: (_ADMIN, _AUDITOR),
        Action.AUDIT_READ: (_ADMIN, _AUDITOR),
        Action.ROUTES_READ: (_ADMIN, _MANAGER, _OPERATOR, _AUDITOR),
        Action.SILENCES_EDIT: (_ADMIN, _OPERATOR),
        Action.CONTACTS_OWN: (_ADMIN, _MANAGER, _OPERATOR, _GUARD, _GRID, _VOLUNTEER, _POLICE),
        Action.CONTACTS_EDIT: (_ADMIN,),
        Action.NOTIFICATIONS_READ: (_ADMIN, _OPERATOR, _AUDITOR),
        Action.ROSTERS_READ: (_ADMIN, _MANAGER, _OPERATOR, _GUARD, _GRID, _VOLUNTEER),
        Action.ROSTERS_EDIT: (_ADMIN, _MANAGER),
        Action.DUTY_OWN: (_ADMIN, _MANAGER, _OPERATOR, _GUARD, _GRID, _VOLUNTEER),
        Action.PATROLS_READ: (_ADMIN, _MANAGER, _OPERATOR),
        Action.PATROLS_EDIT: (_ADMIN, _MANAGER),
        Action.PATROLS_WALK: (_ADMIN, _OPERATOR, _GUARD, _GRID, _VOLUNTEER),
        Action.REVIEWS_READ: (_ADMIN, _MANAGER, _OPERATOR, _AUDITOR),
        Action.REVIEWS_WRITE: (_ADMIN, _MANAGER, _OPERATOR),
        Action.RATE: (_ADMIN, _OPERATOR, _GUARD, _GRID, _VOLUNTEER, _RESIDENT),
        Action.MEASURES_EDIT: (_ADMIN, _MANAGER),
        Action.HANDOVERS_READ: (_ADMIN, _MANAGER, _OPERATOR, _AUDITOR),
        Action.HANDOVERS_SIGN: (_ADMIN, _OPERATOR),
        Action.REPORT_IN: (_ADMIN, _MANAGER, _OPERATOR, _GUARD, _GRID, _VOLUNTEER, _RESIDENT),
        Action.DISPUTES: (_ADMIN, _MANAGER, _OPERATOR, _VOLUNTEER),
        Action.WORK_ORDERS_READ: (_ADMIN, _MANAGER, _OPERATOR, _GRID),
        Action.WORK_ORDERS_EDIT: (_ADMIN, _MANAGER),
        Action.DRILLS: (_ADMIN, _MANAGER),
        Action.SETTINGS_EDIT: (_ADMIN,),
        Action.OWN_DATA: (_RESIDENT,),
        Action.USERS_READ: (_ADMIN, _MANAGER),
        Action.USERS_EDIT: (_ADMIN, _MANAGER),
        Action.TOKENS_EDIT: (_ADMIN,),
    }.items()
}


class _Gate:
    """The dependency of one action; a class, so that tests and docs can read the action off it."""

    def __init__(self, action: Action, *, proven: bool = False) -> None:
        self.action = action
        self.proven = proven

    def __call__(self, request: Request, user: Annotated[User, Depends(current_user)]) -> User:
        if not allowed(user, self.action):
            raise ForbiddenError
        if self.proven:
            proved(request)
        return user


def may(action: Action, *, proven: bool = False) -> Any:
    """The dependency a route puts into the `Annotated` of its user. Raises `ForbiddenError`.

    `proven`: an action of weight, for which whoever sits there has shown in the last ten
    minutes who they are (`console.security.proved`); raises `ProofRequiredError`.
    """
    return Depends(_Gate(action, proven=proven))


def allowed(user: User, action: Action) -> bool:
    """Whether a user's role may do something; for pages that show a part to some."""
    return user.role in ALLOWED[action]


def needs_proof(dependency: Callable[..., Any] | None) -> bool:
    """Whether a route's dependency asks for a proof of who sits there."""
    return isinstance(dependency, _Gate) and dependency.proven


def action_of(dependency: Callable[..., Any] | None) -> Action | None:
    """The action that a route's dependency guards, None for another dependency."""
    return dependency.action if isinstance(dependency, _Gate) else None
