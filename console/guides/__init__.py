"""The guides of `docs/`, readable inside the product: who each is for, and what it looks like as a page.

The files are the same that stand in the repository; an installed package carries them beside this room.
"""

from console.guides.reading import Heading, Page, picture, read, title
from console.guides.sections import section_for
from console.guides.shelf import GUIDES, Guide, guides_for

__all__ = ["GUIDES", "Guide", "Heading", "Page", "guides_for", "picture", "read", "section_for", "title"]
