"""The face engines of a deployment: the one of its settings, and whichever decides until that is ready."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from recognition import enrolment
from recognition.engines import FaceEngine, ModelError, Shelf, open_engine
from registry.models import FaceTemplate
from ringward.foundation import Foundation

if TYPE_CHECKING:
    from recognition.reembedding import ChosenEngines
    from recognition.reembedding.choice import EngineKey

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Faces:
    """`configured` embeds what is enrolled and, in the end, decides everywhere; `chosen` decides now."""

    configured: FaceEngine
    chosen: "ChosenEngines"

    def enrol(self, foundation: Foundation, person_id: str, photo: bytes) -> FaceTemplate:
        """Makes a template by each engine that needs one. Raises as `recognition.enrolment.enrol_photo`."""
        return enrolment.enrol_photo(
            foundation.database,
            foundation.media,
            self.configured,
            foundation.clock,
            person_id,
            photo,
            beside=self.chosen.beside,
        )


def open_faces(foundation: Foundation) -> Faces:
    """Raises a `ModelError` where the engine of the settings is not on the shelf."""
    from recognition.reembedding import ChosenEngines

    settings = foundation.settings
    shelf = Shelf(settings.data_dir / "models")
    configured = open_engine(settings.face_engine, shelf)

    def former(key: "EngineKey") -> FaceEngine | None:
        try:
            return open_engine(key.name, shelf)
        except ModelError as error:
            log.warning("faces.former_engine_not_opened", engine=key.name, error=type(error).__name__)
            return None

    return Faces(configured, ChosenEngines(configured, former, foundation.database))
