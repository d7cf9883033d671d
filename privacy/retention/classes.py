"""Every table has a class here, or a reason why none: a test walks the schema."""

from collections.abc import Mapping
from typing import Final

from privacy.retention.faces import Faces
from privacy.retention.log import AuditLog
from privacy.retention.matters import APPLICATIONS, INCIDENTS, PASSES, WATCHLIST
from privacy.retention.passages import DECISIONS, PASSAGES
from privacy.retention.pictures import PASSAGE_PICTURES, UNKNOWN_FACES
from privacy.retention.records import ACCESS, RECORDS
from privacy.retention.scope import DataClass
from privacy.retention.weeks import Weeks

# In this order: pictures before the rows that name them, what refers before what is referred to.
CLASSES: Final[tuple[DataClass, ...]] = (
    UNKNOWN_FACES,
    PASSAGE_PICTURES,
    DECISIONS,
    PASSAGES,
    Weeks(),
    Faces(),
    WATCHLIST,
    APPLICATIONS,
    INCIDENTS,
    PASSES,
    *RECORDS,
    *ACCESS,
    AuditLog(),
)

_REGISTER: Final = (
    "the register itself: it says who lives here now; a person's rows go with an erasure, which they or "
    "the property office order"
)
_PLACE: Final = "says something of a place, nothing of a person"
_STAFF: Final = "who works the system; the administrator closes it, and no passage of theirs is in it"

NO_CLASS: Final[Mapping[str, str]] = {
    "people": _REGISTER,
    "households": _REGISTER,
    "residences": _REGISTER,
    "staff": _REGISTER,
    "credentials": _REGISTER,
    "vehicles": _REGISTER,
    "authorised_drivers": _REGISTER,
    "organisations": _REGISTER,
    "premises": _REGISTER,
    "terminal_enrolments": "what lies on terminals now; goes when the terminal has confirmed that it forgot",
    "terminal_lists": "one row a terminal, overwritten as it goes: which list it keeps, and counts of nobody",
    "subdistricts": _PLACE,
    "communities": _PLACE,
    "compounds": _PLACE,
    "zones": _PLACE,
    "buildings": _PLACE,
    "units": _PLACE,
    "dwellings": _PLACE,
    "grids": _PLACE,
    "place_aliases": _PLACE,
    "devices": _PLACE,
    "device_status": "one row a device, overwritten as it goes",
    "device_points": "one row a device and state, overwritten as it goes",
    "device_observations": "one row a device, what it showed while it was tested; overwritten as it goes",
    "device_streams": "how a camera is called, its password sealed; removed with the device, of nobody",
    "device_candidates": "names of devices that nobody has registered, at most so many; of nobody",
    "event_amendments": "goes with the event that it amends, by the database's own word",
    "kept_pictures": "which pictures had to stay although their time was over; goes when they go",
    "passage_counts": "what stays of deleted passages: counts by day, device and type, of nobody",
    "consent_wordings": "texts that were shown to people: proof of what they agreed to, of nobody",
    "gallery_revisions": "one number a compound",
    "gallery_changes": "random numbers of templates that came and went lately; the keeper clears them away",
    "embedding_runs": "how far a gallery is on its way to another engine: counts, of nobody",
    "embedding_photos": "goes with the template that it is about, by the database's own word",
    "camera_views": _PLACE,
    "camera_openings": _PLACE,
    "incident_tellings": "goes with the incident that was told of, by the database's own word",
    "route_groups": "what is told together: labels of places and kinds, cleared away when empty; of nobody",
    "rule_versions": "the rules as they were, which incidents name by their number; of nobody",
    "rule_files": "one row a compound, overwritten: what came of the rules file when it was last looked at",
    "rule_trials": "drafts of rules and counts of what they would raise, of nobody; the next one sweeps",
    "rule_proposals": "what a rule should become, from counts; of nobody",
    "threshold_proposals": "what a camera's threshold should become, from counts; of nobody",
    "sighting_answers": "goes with the decision that it answers, by the database's own word",
    "face_exclusions": _REGISTER,
    "recognition_tries": "events that are looked at a second time now; deleted after it",
    "gallery_holders": "one row a running worker, overwritten as it goes",
    "teams": _STAFF,
    "calendar_days": "which days are holidays here; of nobody",
    "calendar_years": "which years' holidays have been entered; of nobody",
    "duty_rules": "one row a compound: hours and pauses that hold for everybody",
    "rosters": "who works here by turns; the manager ends it, and no passage of theirs is in it",
    "duty_feeds": _STAFF,
    "responders": _STAFF,
    "contacts": "how those who work here are reached, sealed; whoever it is takes it away, and it goes with "
    "the responder",
    "contact_steps": "goes with the responder whose rule it is, by the database's own word",
    "notification_attempts": "goes with the notification, by the database's own word",
    "desk_hands": "who has an incident open on a page right now; forgotten minutes after the page",
    "incident_calls": "goes with the incident, by the database's own word",
    "task_pictures": "which picture those who go may see for a while; goes with the incident",
    "responder_positions": "one row a responder on duty who agreed, overwritten; goes when the duty ends",
    "incident_changes": "changes that nobody has reacted to yet; gone within a second",
    "intake_reports": "goes with the incident that it became, by the database's own word",
    "disputes": "goes with the incident that it came of, by the database's own word",
    "drill_incidents": "goes with the drill that it is of, by the database's own word",
    "handover_signatures": "goes with the hand-over that was signed, by the database's own word",
    "handover_entries": "goes with the hand-over that it was written on, by the database's own word",
    "round_turns": "one row a round of the process, overwritten as it goes",
    "patrol_routes": _PLACE,
    "patrol_checkpoints": _PLACE,
    "patrol_points": _PLACE,
    "patrol_schedules": _PLACE,
    "users": _STAFF,
    "second_factors": "goes with the user whose it is, by the database's own word",
    "recovery_codes": "goes with the user whose it is, by the database's own word",
    "saved_views": "filters of places and kinds under a name, which name nobody; go with whoever keeps them",
    "default_views": "one row a user; goes with the view or the user, by the database's own word",
    "alert_leases": "one row a compound, overwritten as the rules go on",
    "alert_evaluators": "one row a running process; gone seconds after it",
    "role_leases": "one row a role of the process, overwritten each second",
    "ingest_shares": "one row a session at the broker, overwritten while somebody listens in it; of nobody",
    "outbox": "messages that the bus has not confirmed; then the relay deletes them, and one that is dropped "
    "is an incident that nobody hears of",
    "deletion_proofs": "the proof that the rest was deleted: counts and digests, of nobody",
    "pia_reports": "impact assessments are kept at least three years and hold no data of persons",
    "filing_tasks": "two rows at most, about the deployment",
    "audit_checkpoints": "where the audit log was cut off; without them the rest of the chain does not hold",
    "backup_runs": "which backups exist; an erasure has to know until they are gone",
    "ring_marks": "one row that says which ring of keys the database belongs to",
}


def named(name: str) -> DataClass:
    """The class of a name. Raises `KeyError`."""
    return next(one for one in CLASSES if one.name == name)
