"""What every engine says of a face that it has found."""

from recognition.engines.contract import DetectedFace, Rgb
from recognition.framing import Box
from recognition.points import FacePoints
from recognition.quality import judge

Landmarks = tuple[tuple[float, float], ...]


def describe(image: Rgb, box: Box, landmarks: Landmarks, points: FacePoints) -> DetectedFace:
    """A face with its quality; ``box``, ``landmarks`` and ``points`` in the picture's pixels."""
    return DetectedFace(box, landmarks, points, min(box.width, box.height), judge(image, box, points))


def largest_first(faces: list[DetectedFace]) -> list[DetectedFace]:
    return sorted(faces, key=lambda face: (-face.size_px, face.box.left, face.box.top))
