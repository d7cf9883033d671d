"""Which grids a user is limited to: a grid worker to those whose worker or deputy the user is."""

from sqlalchemy.orm import Session

from console.accounts.models import Role, User
from console.security import ForbiddenError
from registry.models import Dwelling
from registry.places.grids import looked_after_by


def own_grids(session: Session, compound: str, user: User) -> frozenset[str] | None:
    """None: no limit. A grid worker without a grid is limited to nothing."""
    if user.role != Role.GRID_WORKER:
        return None
    return frozenset(looked_after_by(session, compound, user.id))


def narrowed(session: Session, compound: str, user: User, grid: str | None) -> frozenset[str] | None:
    """The grids to look at where one may be asked for. Raises `ForbiddenError` for another's."""
    own = own_grids(session, compound, user)
    if grid is None:
        return own
    if own is not None and grid not in own:
        raise ForbiddenError
    return frozenset((grid,))


def require_own(session: Session, user: User, dwelling: Dwelling) -> None:
    """Raises `ForbiddenError` for a grid worker where a dwelling lies in another's grid."""
    own = own_grids(session, dwelling.compound, user)
    if own is not None and dwelling.grid not in own:
        raise ForbiddenError
