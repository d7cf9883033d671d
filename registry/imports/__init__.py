"""Sheets and photos from a property office into the registry, row by row, and back out again."""
