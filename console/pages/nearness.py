"""What recognition measured, as a sentence that says which way the number counts."""

from console.pages.readings import Reading
from console.texts import Texts
from recognition.decisions import FaceOutcome


def closeness(t: Texts, reading: Reading | None) -> str:
    """Empty where nothing was measured. A face's score is a distance: smaller is nearer; a plate's is not."""
    if reading is None or reading.score is None:
        return ""
    if reading.subject_kind == "face":
        return _face(t, reading)
    if reading.threshold is None:
        return t("near.plate_read", score=_percent(reading.score))
    key = "near.plate_sure" if reading.score >= reading.threshold else "near.plate_unsure"
    return t(key, score=_percent(reading.score), asked=_percent(reading.threshold))


def _face(t: Texts, reading: Reading) -> str:
    if reading.gallery_size is None or reading.threshold is None or reading.score is None:
        return t("near.face_measured", score=f"{reading.score:.2f}") if reading.score is not None else ""
    said = {
        "n": f"{reading.gallery_size:,}",
        "score": f"{reading.score:.2f}",
        "asked": f"{reading.threshold:.2f}",
    }
    if reading.score > reading.threshold:
        return t("near.face_beyond", **said)
    sentence = t("near.face_within", **said)
    if reading.outcome == FaceOutcome.HOUSEHOLD:
        return sentence + t("near.household")
    return sentence if reading.margin is None else sentence + t("near.margin", margin=f"{reading.margin:.2f}")


def _percent(value: float) -> str:
    return f"{value:.0%}"
