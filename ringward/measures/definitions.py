"""The measures: each with its name, what it means, its unit and its labels.

No label names a person, a plate or a device; what has many rows is counted by compound.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Measure:
    """A gauge. `labels` in their order; the unit is the end of the name."""

    name: str
    says: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a measure at the moment it was taken."""

    measure: Measure
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


MEASURED_AT: Final = Measure(
    "ringward_measures_taken_timestamp_seconds",
    "When the measures of a group were last taken: where it stands still, they are as old.",
    ("group",),
)

# What waits
OUTBOX_WAITING: Final = Measure(
    "ringward_storage_outbox_rows", "Committed messages that the bus has not confirmed yet."
)
OUTBOX_AGE: Final = Measure(
    "ringward_storage_outbox_oldest_seconds",
    "For how long the oldest of them has been seen to wait; 0 while none does.",
)
REACTIONS_WAITING: Final = Measure(
    "ringward_alerts_reactions_waiting", "Changes of incidents from which nothing has followed yet."
)
REACTIONS_AGE: Final = Measure(
    "ringward_alerts_reactions_oldest_seconds", "Age of the oldest of them; 0 while there is none."
)
NOTIFICATIONS_DUE: Final = Measure(
    "ringward_notify_due_notifications", "Notifications that are due and not handed over, of all processes."
)
NOTIFICATIONS_AGE: Final = Measure(
    "ringward_notify_due_oldest_seconds",
    "For how long the oldest of them has been due; 0 while there is none.",
)
LETTERS_OPEN: Final = Measure(
    "ringward_bus_dead_letters_open",
    "Refused messages that nobody has read again or given up, by where they were refused.",
    ("source",),
)

# The bus
STREAM_MESSAGES: Final = Measure(
    "ringward_bus_stream_messages", "Messages that a stream of JetStream holds.", ("stream",)
)
STREAM_BYTES: Final = Measure("ringward_bus_stream_bytes", "What they take on disk.", ("stream",))
STREAM_REPLICAS: Final = Measure(
    "ringward_bus_stream_replicas", "Servers that are to hold a copy of the stream.", ("stream",)
)
STREAM_CURRENT: Final = Measure(
    "ringward_bus_stream_replicas_current",
    "Servers whose copy is up to date; fewer than there should be means that one is away or catches up.",
    ("stream",),
)
CONSUMER_PENDING: Final = Measure(
    "ringward_bus_consumer_pending_messages", "Messages that a consumer was not given yet.", ("consumer",)
)
CONSUMER_IN_HAND: Final = Measure(
    "ringward_bus_consumer_unacknowledged_messages", "Messages in somebody's hand.", ("consumer",)
)
CONSUMER_AGAIN: Final = Measure(
    "ringward_bus_consumer_redelivered_messages",
    "Messages in hand that were in somebody's hand before.",
    ("consumer",),
)
CONSUMER_AGE: Final = Measure(
    "ringward_bus_consumer_oldest_seconds",
    "Age of the oldest message that a consumer has not settled; 0 while there is none.",
    ("consumer",),
)

# Recognition
TEMPLATES: Final = Measure("ringward_recognition_gallery_templates", "Stored face templates.", ("compound",))
GALLERY_PEOPLE: Final = Measure("ringward_recognition_gallery_people", "People who have one.", ("compound",))
FALSE_MATCHES: Final = Measure(
    "ringward_recognition_false_match_share",
    "False names among those that operators judged, 90 days, all cameras together. They are asked where "
    "something looked wrong, so it lies above the true rate.",
    ("compound",),
)
JUDGED: Final = Measure(
    "ringward_recognition_judged_matches", "Judged names that the share rests on.", ("compound",)
)
DRIFT: Final = Measure(
    "ringward_recognition_score_drift",
    "Mean distance of named faces in the last day less that of the seven days before, as distances are "
    "(0 to 2): rising means that faces look less like their templates.",
    ("compound",),
)
UNCERTAIN: Final = Measure(
    "ringward_recognition_uncertain_share",
    "Share of faces of the last day that were decided as uncertain.",
    ("compound",),
)

# Devices
DEVICES: Final = Measure(
    "ringward_devices_devices",
    "Enabled devices, by whether they are there (online), fell silent (away) or were never heard (unheard).",
    ("compound", "state"),
)
CLOCKS_OFF: Final = Measure(
    "ringward_devices_clocks_wrong", "Devices whose clock is further off than is allowed.", ("compound",)
)

# Who does what
COMPOUNDS_FREE: Final = Measure(
    "ringward_alerts_compounds_unattended", "Compounds whose rules no process evaluates."
)
EVALUATORS: Final = Measure(
    "ringward_alerts_evaluators", "Processes that can evaluate rules, at work or standing by."
)

# The audit log
AUDIT_HEIGHT: Final = Measure(
    "ringward_privacy_audit_height_rows", "Number of the newest row of the audit log."
)
AUDIT_VERIFIED: Final = Measure(
    "ringward_privacy_audit_verified_timestamp_seconds",
    "When the chain of hashes was last walked from its beginning and held.",
)
AUDIT_HOLDS: Final = Measure(
    "ringward_privacy_audit_chain_holds", "1 where that walk found the chain whole, 0 where it is broken."
)

# Copies, places, clocks
BACKUP_AGE: Final = Measure(
    "ringward_storage_backup_age_seconds",
    "Since the last backup that was read back and found right; since the first account where there is none.",
)
DISK_FREE: Final = Measure(
    "ringward_storage_disk_free_bytes", "Free space where something is kept.", ("place",)
)
DISK_SIZE: Final = Measure("ringward_storage_disk_size_bytes", "Size of that disk.", ("place",))
DATABASE_SIZE: Final = Measure("ringward_storage_database_bytes", "What the database takes on disk.")
PIECES_AHEAD: Final = Measure(
    "ringward_storage_event_pieces_ahead",
    "Weeks after the running one for which the event tables have a piece; absent on SQLite.",
)
PIECES_REST: Final = Measure(
    "ringward_storage_event_rest_rows",
    "Events for whose week there is no piece: of clocks that run far ahead, or pieces are not being made.",
)
CLOCK_OFFSET: Final = Measure(
    "ringward_storage_clock_offset_seconds",
    "The database's clock less this machine's; 0 for a database in a file.",
)
CLOCK_SYNCHRONISED: Final = Measure(
    "ringward_system_clock_synchronised",
    "1 while the kernel's clock follows a time service, 0 while it does not.",
)
CERTIFICATE_EXPIRES: Final = Measure(
    "ringward_system_certificate_expires_timestamp_seconds",
    "When a certificate that a setting names ends.",
    ("setting",),
)

MEASURES: Final = tuple(one for one in globals().values() if isinstance(one, Measure))
"""All of them, in the order in which they stand here."""
