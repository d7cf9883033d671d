"""Migrations: each runs while the version before it is still live."""
