"""Rehearsing rules on a deployment's own past, and showing what came of it."""
