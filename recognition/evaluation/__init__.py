"""What recognition is worth: error rates on labelled pictures, with the intervals they have.

Nothing here decides anything at a gate. Faces go through the same fusion, the same gallery entries and
the same calibration as there; the calibration file that comes out is what the worker uses.
"""
