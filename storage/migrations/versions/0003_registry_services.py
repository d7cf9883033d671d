"""registry services

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

import storage.columns
from storage.database import Database
from storage.patience import build_index, online

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def before(database: Database) -> None:
    """Makes the indices while others write; `upgrade` then finds them."""
    with online(database) as connection:
        build_index(connection, "ix_events_late", "events", "compound, received_at", "late = 1")


def upgrade() -> None:
    _storage()
    _registry()
    _devices()
    _privacy()
    _console()


def _storage() -> None:
    """The audit log is append-only by the database's own word.

    Rows go only up to a checkpoint; nothing is changed, nor replaced under the same number.
    """
    if op.get_bind().dialect.name == "sqlite":
        _guard_on_sqlite()
    else:
        _guard_on_postgresql()


def _guard_on_sqlite() -> None:
    op.execute(
        """
        CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
        """
    )
    op.execute(
        """
        CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
        WHEN OLD.seq > (SELECT coalesce(max(through_seq), 0) FROM audit_checkpoints)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
        """
    )
    # INSERT OR REPLACE deletes without asking the trigger above.
    op.execute(
        """
        CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
        """
    )
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"""
            CREATE TRIGGER audit_checkpoints_no_{action.lower()} BEFORE {action} ON audit_checkpoints
            BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
            """
        )


def _guard_on_postgresql() -> None:
    op.execute(
        """
        CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit' THEN
                IF OLD.seq <= (SELECT coalesce(max(through_seq), 0) FROM audit_checkpoints) THEN
                    RETURN OLD;
                END IF;
            END IF;
            RAISE EXCEPTION 'the audit log is append-only'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )
    for name, when in (
        ("audit_no_update", "BEFORE UPDATE ON audit FOR EACH ROW"),
        ("audit_no_delete", "BEFORE DELETE ON audit FOR EACH ROW"),
        ("audit_no_replace", "BEFORE TRUNCATE ON audit FOR EACH STATEMENT"),
        ("audit_checkpoints_no_change", "BEFORE UPDATE OR DELETE ON audit_checkpoints FOR EACH ROW"),
        ("audit_checkpoints_no_truncate", "BEFORE TRUNCATE ON audit_checkpoints FOR EACH STATEMENT"),
    ):
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION audit_append_only()")


def _registry() -> None:
    with op.batch_alter_table("pass_uses") as batch:
        batch.add_column(sa.Column("direction", sa.String(8), nullable=False, server_default="in"))
        batch.add_column(sa.Column("counted", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("import_jobs") as batch:
        batch.add_column(sa.Column("beat_at", storage.columns.UtcTime(), nullable=True))
    active = sa.text("status = 'active'")
    op.create_index(
        "ix_credentials_active",
        "credentials",
        ["compound", "ref_key"],
        unique=True,
        sqlite_where=active,
        postgresql_where=active,
    )


def _devices() -> None:
    pass


def _privacy() -> None:
    op.create_table(
        "kept_pictures",
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("retention_class", sa.String(32), nullable=False),
        sa.Column("since", storage.columns.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("event", name=op.f("pk_kept_pictures")),
    )
    op.create_index("ix_kept_pictures_compound", "kept_pictures", ["compound"])
    # Retention goes through late records by when they came.
    late = sa.text("late = 1")
    op.create_index(
        "ix_events_late",
        "events",
        ["compound", "received_at"],
        sqlite_where=late,
        postgresql_where=late,
        if_not_exists=True,
    )


def _console() -> None:
    pass


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")
