"""Escalation: who is told next when nobody took it in time, by kind, severity and how often it ran out."""
