"""Organisations, their premises, and the staff who may enter because of them."""
