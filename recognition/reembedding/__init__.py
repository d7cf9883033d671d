"""Changing the face engine: a gallery is embedded anew from its photos while the former engine decides.

Templates of both lie side by side until each photo has been looked at; then the compound
changes over at once, and the former ones go a day later.
"""

from recognition.reembedding.choice import ChosenEngines
from recognition.reembedding.reembedder import Reembedder
from recognition.reembedding.refused import RefusedPhoto, refused_photos

__all__ = ["ChosenEngines", "Reembedder", "RefusedPhoto", "refused_photos"]
