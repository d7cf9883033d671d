"""The gallery (底库) in memory: whom a face is compared with, and how it follows the registry."""

from recognition.gallery.index import Gallery, Template
from recognition.gallery.keeper import REFRESH_S, GalleryKeeper

__all__ = ["REFRESH_S", "Gallery", "GalleryKeeper", "Template"]
