"""second factors, sessions and tokens that can be ended

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

import storage.columns

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_failures",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last", storage.columns.UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_failures")),
    )
    with op.batch_alter_table("sign_in_failures") as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_failures_last"), ["last"], unique=False)

    op.create_table(
        "half_sign_ins",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=True),
        sa.Column("expires_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["user"], ["users.id"], name=op.f("fk_half_sign_ins_user_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_half_sign_ins")),
    )
    with op.batch_alter_table("half_sign_ins") as batch_op:
        batch_op.create_index(batch_op.f("ix_half_sign_ins_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_half_sign_ins_user"), ["user"], unique=False)

    op.create_table(
        "known_devices",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("expires_at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user"], ["users.id"], name=op.f("fk_known_devices_user_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_known_devices")),
    )
    with op.batch_alter_table("known_devices") as batch_op:
        batch_op.create_index(batch_op.f("ix_known_devices_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_known_devices_user"), ["user"], unique=False)

    op.create_table(
        "provider_requests",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", storage.columns.EncryptedText(), nullable=False),
        sa.Column("next_path", storage.columns.EncryptedText(), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=True),
        sa.Column("expires_at", storage.columns.UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user"], ["users.id"], name=op.f("fk_provider_requests_user_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_provider_requests")),
    )
    with op.batch_alter_table("provider_requests") as batch_op:
        batch_op.create_index(batch_op.f("ix_provider_requests_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_provider_requests_user"), ["user"], unique=False)

    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("used_at", storage.columns.UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user"], ["users.id"], name=op.f("fk_recovery_codes_user_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_codes")),
    )
    with op.batch_alter_table("recovery_codes") as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_codes_user"), ["user"], unique=False)

    op.create_table(
        "second_factors",
        sa.Column("user", sa.String(length=32), nullable=False),
        sa.Column("secret", storage.columns.EncryptedText(), nullable=False),
        sa.Column("created_at", storage.columns.UtcTime(), nullable=False),
        sa.Column("confirmed_at", storage.columns.UtcTime(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user"], ["users.id"], name=op.f("fk_second_factors_user_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user", name=op.f("pk_second_factors")),
    )
    with op.batch_alter_table("api_tokens") as batch_op:
        batch_op.add_column(sa.Column("last_used", storage.columns.UtcTime(), nullable=True))

    with op.batch_alter_table("user_sessions") as batch_op:
        batch_op.add_column(sa.Column("proved_at", storage.columns.UtcTime(), nullable=True))
        batch_op.add_column(
            sa.Column("method", sa.String(length=16), server_default="password", nullable=False)
        )

    with op.batch_alter_table("users") as batch_op:
        batch_op.add_column(sa.Column("theme", sa.String(length=8), nullable=True))
        batch_op.add_column(sa.Column("provider_key", sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f("ix_users_provider_key"), ["provider_key"], unique=True)


def downgrade() -> None:
    raise NotImplementedError("restore the backup from before the upgrade")
