"""What distances mean: measured error curves, and the thresholds that follow from them."""

from recognition.calibration.calibration import Calibration, Calibrations, shipped
from recognition.calibration.file import BadCalibrationError, CalibrationFile
from recognition.calibration.thresholds import DEFAULT_FPIR, FaceThresholds, UncalibratedEngineError

__all__ = [
    "DEFAULT_FPIR",
    "BadCalibrationError",
    "Calibration",
    "CalibrationFile",
    "Calibrations",
    "FaceThresholds",
    "UncalibratedEngineError",
    "shipped",
]
