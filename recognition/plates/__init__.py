"""Reading number plates: four corners, straightened, read as the likeliest plate of GA 36."""

from recognition.plates.decoding import PlateCharacter
from recognition.plates.reader import OnnxPlateReader, PlateRead, PlateReader
from recognition.plates.straightening import aspect, straighten

__all__ = ["OnnxPlateReader", "PlateCharacter", "PlateRead", "PlateReader", "aspect", "straighten"]
