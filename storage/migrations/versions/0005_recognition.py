"""recognition

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _decisions()
    _cameras()
    _answers()
    _galleries()


def _decisions() -> None:
    waiting = sa.text("told_at IS NULL AND settles_at IS NOT NULL")
    with op.batch_alter_table("decisions") as batch:
        batch.add_column(sa.Column("device", sa.String(64), nullable=True))
        batch.add_column(sa.Column("leader", sa.String(32), nullable=True))
        batch.add_column(sa.Column("frames", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("gallery", sa.String(96), nullable=True))
        batch.add_column(sa.Column("thresholds", storage.columns.JsonText(), nullable=True))
        batch.add_column(sa.Column("settles_at", storage.columns.UtcTime(), nullable=True))
        batch.add_column(sa.Column("told_at", storage.columns.UtcTime(), nullable=True))
        batch.add_column(sa.Column("amendments", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("valid_until", storage.columns.UtcTime(), nullable=True))
    op.create_index(op.f("ix_decisions_leader"), "decisions", ["leader"])
    op.create_index("ix_decisions_device_time", "decisions", ["device", "at"])
    op.create_index(
        "ix_decisions_settling", "decisions", ["settles_at"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_table(
        "recognition_tries",
        sa.Column("event_id", sa.String(32), nullable=False),
        sa.Column("subject_kind", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_at", storage.columns.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "subject_kind", name=op.f("pk_recognition_tries")),
    )


def _cameras() -> None:
    op.create_table(
        "camera_views",
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("region", storage.columns.JsonText(), nullable=True),
        sa.Column("smallest_face_px", sa.Integer(), nullable=True),
        sa.Column("policy", sa.String(16), nullable=False, server_default="needed"),
        sa.Column("fpir", sa.Float(), nullable=True),
        sa.Column("threshold_shift", sa.Float(), nullable=False, server_default="0"),
        sa.Column("low_score", sa.Float(), nullable=True),
        sa.Column("deadline_ms", sa.Integer(), nullable=True),
        sa.Column("changed_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("changed_by", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["devices.id"], name=op.f("fk_camera_views_device_devices")),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_camera_views_compound_compounds")
        ),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_camera_views")),
    )
    op.create_index(op.f("ix_camera_views_compound"), "camera_views", ["compound"])
    op.create_table(
        "camera_openings",
        sa.Column("camera", sa.String(64), nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("opener", sa.String(64), nullable=False),
        sa.Column("door", sa.Integer(), nullable=False),
        sa.Column("enabled_by", sa.String(64), nullable=False),
        sa.Column("enabled_at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["camera"], ["devices.id"], name=op.f("fk_camera_openings_camera_devices")),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_camera_openings_compound_compounds")
        ),
        sa.ForeignKeyConstraint(["opener"], ["devices.id"], name=op.f("fk_camera_openings_opener_devices")),
        sa.PrimaryKeyConstraint("camera", name=op.f("pk_camera_openings")),
    )
    op.create_index(op.f("ix_camera_openings_compound"), "camera_openings", ["compound"])
    op.create_table(
        "threshold_proposals",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("device", sa.String(64), nullable=False),
        sa.Column("engine", sa.String(32), nullable=False),
        sa.Column("engine_version", sa.String(64), nullable=False),
        sa.Column("shift_now", sa.Float(), nullable=False),
        sa.Column("shift_proposed", sa.Float(), nullable=False),
        sa.Column("grounds", storage.columns.JsonText(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=True),
        sa.Column("decided_at", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_threshold_proposals_compound_compounds")
        ),
        sa.ForeignKeyConstraint(
            ["device"], ["devices.id"], name=op.f("fk_threshold_proposals_device_devices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threshold_proposals")),
    )
    op.create_index(op.f("ix_threshold_proposals_compound"), "threshold_proposals", ["compound"])


def _answers() -> None:
    op.create_table(
        "sighting_answers",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("sighting_id", sa.String(32), nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("device", sa.String(64), nullable=True),
        sa.Column("engine", sa.String(32), nullable=True),
        sa.Column("engine_version", sa.String(64), nullable=True),
        sa.Column("outcome", sa.String(24), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("answered_by", sa.String(64), nullable=False),
        sa.Column("answered_at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sighting_id"],
            ["decisions.sighting_id"],
            name=op.f("fk_sighting_answers_sighting_id_decisions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sighting_answers")),
        sa.UniqueConstraint("sighting_id", "answered_by", name=op.f("uq_sighting_answers_sighting_id")),
    )
    op.create_index("ix_sighting_answers_device", "sighting_answers", ["compound", "device", "answered_at"])
    op.create_table(
        "face_exclusions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("other", sa.String(64), nullable=True),
        sa.Column("sighting_id", sa.String(32), nullable=True),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("made_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("lifted_by", sa.String(64), nullable=True),
        sa.Column("lifted_at", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_face_exclusions_compound_compounds")
        ),
        sa.ForeignKeyConstraint(["other"], ["people.id"], name=op.f("fk_face_exclusions_other_people")),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_face_exclusions_person_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_exclusions")),
    )
    for column in ("compound", "other", "person"):
        op.create_index(op.f(f"ix_face_exclusions_{column}"), "face_exclusions", [column])


def _galleries() -> None:
    op.create_table(
        "gallery_changes",
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("template", sa.String(64), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_gallery_changes_compound_compounds")
        ),
        sa.PrimaryKeyConstraint("compound", "revision", "template", name=op.f("pk_gallery_changes")),
    )
    op.create_table(
        "embedding_runs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("engine", sa.String(32), nullable=False),
        sa.Column("engine_version", sa.String(64), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("moved_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("finished_at", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["compound"], ["compounds.id"], name=op.f("fk_embedding_runs_compound_compounds")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_embedding_runs")),
        sa.UniqueConstraint("compound", "engine", "engine_version", name=op.f("uq_embedding_runs_compound")),
    )
    op.create_index(op.f("ix_embedding_runs_compound"), "embedding_runs", ["compound"])
    op.create_table(
        "embedding_photos",
        sa.Column("run", sa.String(32), nullable=False),
        sa.Column("template", sa.String(64), nullable=False),
        sa.Column("compound", sa.String(64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("begun_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("reason", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(
            ["run"],
            ["embedding_runs.id"],
            name=op.f("fk_embedding_photos_run_embedding_runs"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["template"],
            ["face_templates.id"],
            name=op.f("fk_embedding_photos_template_face_templates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run", "template", name=op.f("pk_embedding_photos")),
    )
    op.create_index(op.f("ix_embedding_photos_template"), "embedding_photos", ["template"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")
