"""Changing the face engine: a gallery is embedded anew from its photos while the former engine decides.

Templates of both lie side by side until each photo has been looked at; then the compound
changes over at once, and the former ones go a day later.
"""

from recognition.reembedding.choice import ChosenEngines
from recognition.reembedding.progress import Progress, RefusedPhoto, progress, refused_photos
from recognition.reembedding.reembedder import Reembedder

__all__ = ["ChosenEngines", "Progress", "Reembedder", "RefusedPhoto", "progress", "refused_photos"]
