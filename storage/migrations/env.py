"""Alembic's entry: the connection comes from `storage.migrate`, the metadata from the caller."""

from alembic import context

config = context.config
connection = config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=config.attributes.get("metadata"),
    render_as_batch=True,
    compare_type=False,
)
with context.begin_transaction():
    context.run_migrations()
