"""Reading number plates: four corners, straightened, read, corrected by position."""

from recognition.plates.reader import OnnxPlateReader, PlateRead, PlateReader, aspect, straighten

__all__ = ["OnnxPlateReader", "PlateRead", "PlateReader", "aspect", "straighten"]
