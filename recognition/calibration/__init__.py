"""What distances mean: measured error curves, and the thresholds that follow from them."""

from recognition.calibration.calibration import Calibration, Calibrations
from recognition.calibration.thresholds import DEFAULT_FPIR, FaceThresholds, UncalibratedEngineError

__all__ = ["DEFAULT_FPIR", "Calibration", "Calibrations", "FaceThresholds", "UncalibratedEngineError"]
