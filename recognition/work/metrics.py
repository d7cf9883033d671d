"""What a recognition process counts. Of nobody: no label names a person, a plate or a device."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bus.messages import Sighting

_LOOK_S: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 20)
_WAITED_S: Final = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 600, 3600)


class RecognitionMetrics:
    """One a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._decisions = Counter(
            "ringward_recognition_decisions",
            "Decisions that looks gave, by face or plate and outcome.",
            ["kind", "outcome"],
            registry=registry,
        )
        self._unprocessed = Counter(
            "ringward_recognition_unprocessed",
            "Pictures that waited longer than they are worth and were not looked at.",
            registry=registry,
        )
        self._seconds = Histogram(
            "ringward_recognition_look_seconds",
            "From a picture's turn to its decision.",
            ["kind"],
            buckets=_LOOK_S,
            registry=registry,
        )
        self._waited = Histogram(
            "ringward_recognition_waited_seconds",
            "Age of pictures when their turn came, from when the event was received.",
            ["lane"],
            buckets=_WAITED_S,
            registry=registry,
        )
        self._again = Counter(
            "ringward_recognition_tries",
            "Looks at pictures whose last look ended without a word.",
            ["kind"],
            registry=registry,
        )
        self._gave_up = Counter(
            "ringward_recognition_gave_up",
            "Pictures that took two workers with them and became dead letters.",
            ["kind"],
            registry=registry,
        )
        self._failures = Counter(
            "ringward_recognition_failures",
            "Looks that ended with an error and are tried again, e.g. without the database.",
            ["kind"],
            registry=registry,
        )
        self.ready = Gauge(
            "ringward_recognition_ready",
            "1 while engines are loaded and pictures are taken.",
            registry=registry,
        )

    def waited(self, lane: str, seconds: float) -> None:
        """A picture's turn has come; clocks of two machines may differ, so never less than 0."""
        self._waited.labels(lane=lane).observe(max(0.0, seconds))

    def looked(self, kind: str, seconds: float, sightings: Iterable[Sighting]) -> None:
        self._seconds.labels(kind=kind).observe(seconds)
        self.decided(sightings)

    def decided(self, sightings: Iterable[Sighting]) -> None:
        """Decisions, also those that came when a track was complete."""
        for sighting in sightings:
            self._decisions.labels(kind=sighting.subject_kind, outcome=sighting.outcome).inc()
            if sighting.outcome == "unprocessed":
                self._unprocessed.inc()

    def again(self, kind: str) -> None:
        self._again.labels(kind=kind).inc()

    def gave_up(self, kind: str) -> None:
        self._gave_up.labels(kind=kind).inc()

    def failed(self, kind: str) -> None:
        self._failures.labels(kind=kind).inc()
