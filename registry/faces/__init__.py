"""Consent and the face templates that stand on it, and who holds a gallery in memory."""
