"""Every table of every room, known to one metadata: what migrations compare with."""

import alerts.absences
import alerts.dispatch.models
import alerts.drills.models
import alerts.duty.models
import alerts.duty.rostermodels
import alerts.handover.models
import alerts.incidents.models
import alerts.intake.models
import alerts.leases
import alerts.mutes
import alerts.notify.models
import alerts.patrols.models
import alerts.plans.models
import alerts.reactions
import alerts.review.models
import alerts.rounds
import alerts.routing.models
import alerts.rulebook.models
import bus.deadletters
import console.accounts.models
import console.desk.hands
import console.lookback.models
import devices.candidates
import devices.commands.models
import devices.enrolments
import devices.lists.models
import devices.models
import devices.observations
import devices.openings
import devices.points
import devices.streams
import ingest.shares
import privacy.models
import recognition.models
import registry.models
import storage.audit
import storage.backups
import storage.events
import storage.leases
import storage.ringmark
from storage import Base

metadata = Base.metadata

__all__ = ["metadata"]

_ROOMS = (
    alerts.absences,
    alerts.dispatch.models,
    alerts.drills.models,
    alerts.duty.models,
    alerts.duty.rostermodels,
    alerts.handover.models,
    alerts.incidents.models,
    alerts.intake.models,
    alerts.leases,
    alerts.mutes,
    alerts.notify.models,
    alerts.patrols.models,
    alerts.plans.models,
    alerts.reactions,
    alerts.review.models,
    alerts.rounds,
    alerts.routing.models,
    alerts.rulebook.models,
    bus.deadletters,
    console.accounts.models,
    console.lookback.models,
    console.desk.hands,
    devices.candidates,
    devices.commands.models,
    devices.enrolments,
    devices.lists.models,
    devices.models,
    devices.observations,
    devices.openings,
    devices.points,
    devices.streams,
    ingest.shares,
    privacy.models,
    recognition.models,
    registry.models,
    storage.audit,
    storage.backups,
    storage.events,
    storage.ringmark,
    storage.leases,
)
