"""Face templates of people who have left: they go a day after the last tie to the compound."""

import datetime as dt
import time
from typing import Any, Final

from sqlalchemy import Select, and_, exists, not_, or_, select
from sqlalchemy.orm import Session

from privacy import erasures
from privacy.holds import held_subjects
from privacy.models import ErasureKind
from privacy.retention.proofs import prove
from privacy.retention.rows import count
from privacy.retention.scope import Batch, Due, Ground, Scope
from registry.days import time_zone
from registry.models import FaceTemplate, Person, Residence, StaffLink

GRACE: Final = dt.timedelta(hours=24)
# Each is an erasure with steps of its own: galleries, terminals, backups.
_MOST: Final = 20
BY: Final = "keeper"


class Faces:
    """Ordered as an erasure, not deleted here: a face lies in galleries and terminals too."""

    name = "face_templates"
    setting = None
    tables = ("face_templates",)
    whole_deployment = False

    def due(self, session: Session, scope: Scope) -> Due:
        over = self._over(session, scope)
        held = Person.id.in_(held_subjects("person", scope.at))
        return Due(count(session, over.where(not_(held))), count(session, over.where(held)))

    def step(self, ground: Ground, scope: Scope, size: int) -> Batch:
        with ground.database.read() as session:
            if not session.scalars(self._free(session, scope).limit(1)).all():
                return Batch()
        started = time.monotonic()
        with ground.database.write() as session:
            people = session.scalars(self._free(session, scope).limit(min(size, _MOST))).all()
            for person_id in people:
                person = session.get_one(Person, person_id)
                erasures.order(session, person, ErasureKind.FACE, at=scope.at, by=BY)
            kept = set(session.scalars(select(FaceTemplate.person).where(FaceTemplate.person.in_(people))))
            gone = [one for one in people if one not in kept]
            if gone:
                prove(session, scope.run.id, self.name, scope.compound, scope.at - GRACE, gone, scope.at)
        if people:
            # Whom the law keeps is not asked for again in this run.
            scope.position = people[-1]
        done = {self.name: len(gone)} if gone else {}
        return Batch(done, more=bool(people), held_s=time.monotonic() - started)

    def _free(self, session: Session, scope: Scope) -> Select[Any]:
        held = Person.id.in_(held_subjects("person", scope.at))
        after = scope.position or ""
        return self._over(session, scope).where(not_(held), Person.id > after).order_by(Person.id)

    def _over(self, session: Session, scope: Scope) -> Select[Any]:
        """People with a template who once lived or worked here, and do no more since yesterday.

        Who was enrolled without any tie is for the consent alone to decide.
        """
        zone = time_zone(session, scope.of_compound)
        since = (scope.at - GRACE).astimezone(zone).date()
        ties = [
            (exists().where(tie.person == Person.id), and_(tie.person == Person.id, _lasts(tie, since)))
            for tie in (Residence, StaffLink)
        ]
        return select(Person.id).where(
            Person.compound == scope.of_compound,
            exists().where(FaceTemplate.person == Person.id),
            or_(*(had for had, _ in ties)),
            *(not_(exists().where(has)) for _, has in ties),
        )


def _lasts(tie: Any, since: dt.date) -> Any:
    return or_(tie.until.is_(None), tie.until >= since)
