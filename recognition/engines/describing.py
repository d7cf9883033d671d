"""What every engine says of a face that it has found."""

from recognition.engines.contract import DetectedFace, Rgb
from recognition.framing import Box
from recognition.quality import FacePoints, assess

Landmarks = tuple[tuple[float, float], ...]


def describe(image: Rgb, box: Box, landmarks: Landmarks, points: FacePoints) -> DetectedFace:
    """A face with its quality, judged on the part of the box that lies inside the picture."""
    crop = image[max(0, box.top) : max(0, box.bottom), max(0, box.left) : max(0, box.right)]
    visible = crop.shape[0] * crop.shape[1] / (box.width * box.height)
    size = min(box.width, box.height)
    return DetectedFace(box, landmarks, points, size, assess(crop, points, visible))


def largest_first(faces: list[DetectedFace]) -> list[DetectedFace]:
    return sorted(faces, key=lambda face: (-face.size_px, face.box.left, face.box.top))
