"""The gallery (底库) in memory: whom a face is compared with."""

from recognition.gallery.index import Gallery, Template

__all__ = ["Gallery", "Template"]
