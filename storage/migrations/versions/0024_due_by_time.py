"""indexes by time alone: what is due in all compounds is asked for in one statement

Revision ID: 0024
Revises: 0023
"""

from alembic import op

from storage import Database
from storage.patience import build_index, online

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_consents_given", "consents", ("purpose", "given_at")),
    ("ix_consents_withdrawn", "consents", ("purpose", "withdrawn_at")),
    ("ix_device_commands_answer", "device_commands", ("answer_by",)),
    ("ix_incident_transitions_at", "incident_transitions", ("at",)),
    ("ix_patrol_rounds_until", "patrol_rounds", ("due_until",)),
    ("ix_patrol_visits_time", "patrol_visits", ("received_at",)),
    ("ix_shifts_start", "shifts", ("starts_at",)),
    ("ix_visitor_passes_decided", "visitor_passes", ("decided_at",)),
    ("ix_visitor_passes_ends", "visitor_passes", ("ends_at",)),
)


def before(database: Database) -> None:
    """While others write."""
    with online(database) as connection:
        for name, table, columns in INDEXES:
            build_index(connection, name, table, ", ".join(columns))


def upgrade() -> None:
    for name, table, columns in INDEXES:
        op.create_index(name, table, list(columns), if_not_exists=True)
