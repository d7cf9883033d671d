"""Dispatch: asking responders, the first acceptance that leads, and what came of it."""
