"""Pictures that nothing names: of a message that was refused after all, of an enrolment that failed.

A picture is stored before the row that names it is committed, so one sighting proves nothing.
What nothing named in two sweeps, a night apart, nobody will name any more.
"""

import datetime as dt
import itertools
from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from alerts.dispatch.models import Dispatch
from alerts.intake.models import IntakeReport
from devices.models import Device
from privacy.retention.policy import RetentionPolicy
from privacy.retention.proofs import prove
from privacy.retention.references import of_run
from privacy.retention.scope import Run
from registry.models import Compound, FaceTemplate
from storage import Database, MediaStore

NAME: Final = "orphans"
# Each compound has its own quiet hour: what has just become over may still wait for it.
_GRACE: Final = dt.timedelta(days=2)
_PART: Final = 5000


def sweep(
    database: Database,
    media: MediaStore,
    policy: RetentionPolicy,
    at: dt.datetime,
    suspected: frozenset[str],
) -> tuple[int, frozenset[str]]:
    """Deletes those of the suspected that are still named by nothing; returns how many, and whom to suspect.

    To be called only after retention has gone through everything: what it has not noted yet as
    kept would look like nobody's.
    """
    found = frozenset(_unnamed(database, media, policy, at))
    going = sorted(found & suspected)
    if going:
        media.delete_all(going)
        with database.write() as session:
            prove(session, Run(policy, at).id, NAME, None, at, going, at)
    return len(going), found - suspected


def _unnamed(
    database: Database, media: MediaStore, policy: RetentionPolicy, at: dt.datetime
) -> Iterator[str]:
    with database.read() as session:
        compounds = tuple(session.scalars(select(Compound.id)))
    run = Run(policy, at - _GRACE, compounds)
    stored = iter(media.list())
    while part := list(itertools.islice(stored, _PART)):
        # A session a part: a listing takes long, and an old snapshot keeps SQLite's log from folding.
        with database.read() as session:
            needed = of_run(run).needed(session, part)
            portraits = set(
                session.scalars(select(FaceTemplate.media_id).where(FaceTemplate.media_id.in_(part)))
            )
            signs = set(session.scalars(select(Device.sign_photo).where(Device.sign_photo.in_(part))))
            sent = {
                one
                for column in (IntakeReport.media_id, Dispatch.media_id)
                for one in session.scalars(select(column).where(column.in_(part)))
            }
            standing = needed | portraits | signs | sent
        yield from (one for one in part if one not in standing)
