"""Patrols: routes with checkpoints, rounds that are due, and who was where when."""
