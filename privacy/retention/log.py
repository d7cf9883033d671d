"""The audit log: its old end is cut off at a checkpoint, so that the rest of the chain still holds."""

import time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from privacy.retention.proofs import prove
from privacy.retention.scope import Batch, Due, Ground, Scope
from storage import audit
from storage.audit import AuditRow

# Every cut leaves a row of its own in the log, so it is not made in small pieces.
_CUT = 5000


class AuditLog:
    """Rows of the audit log. A hold does not reach them: they say who looked, not what there was."""

    name = "audit"
    setting = "audit"
    tables = ("audit",)
    whole_deployment = True

    def due(self, session: Session, scope: Scope) -> Due:
        first = session.scalar(select(func.min(AuditRow.seq)))
        last = session.scalar(select(func.max(AuditRow.seq)))
        if first is None or last is None:
            return Due(0)
        staying = session.scalar(select(func.min(AuditRow.seq)).where(AuditRow.at >= scope.cutoff("audit")))
        return Due((last if staying is None else staying) - first)

    def step(self, ground: Ground, scope: Scope, size: int) -> Batch:  # noqa: ARG002
        with ground.database.read() as session:
            if not self.due(session, scope).count:
                return Batch()
            first = session.scalar(select(func.min(AuditRow.seq))) or 0
        started = time.monotonic()
        with ground.database.write() as session:
            cutoff = scope.cutoff("audit")
            gone = audit.cut_off(session, cutoff, scope.at, limit=_CUT)
            if gone:
                numbers = map(str, range(first, first + gone))
                prove(session, scope.run.id, self.name, None, cutoff, numbers, scope.at)
        return Batch({self.name: gone} if gone else {}, more=gone > 0, held_s=time.monotonic() - started)
