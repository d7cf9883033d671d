"""Visitor passes: asked for, decided, found at the gate, counted."""
