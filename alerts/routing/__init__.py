"""Routing: which team an incident concerns, by ring, kind and severity."""
