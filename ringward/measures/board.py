"""Where measures hang: what was taken last, a group at a time, until it is too old to be believed."""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ringward.measures.definitions import MEASURED_AT, MEASURES, Sample

BELIEVED: Final = 4
"""A group is shown for so many of its own intervals: what nobody can take any more must not look well."""


class Board(Collector):
    """Shows whole groups: nobody who scrapes sees one half of them new and one half old."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._groups: dict[str, tuple[float, float, tuple[Sample, ...]]] = {}

    def hang(self, group: str, every_s: float, samples: Iterable[Sample]) -> None:
        """Takes the place of what the group showed before. Safe to call from any thread."""
        taken = tuple(samples)
        with self._lock:
            self._groups[group] = (self._now(), every_s, taken)

    def clear(self) -> None:
        """Shows nothing more: somebody else measures now, or nobody."""
        with self._lock:
            self._groups.clear()

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """The names alone, so that nobody else takes one of them."""
        return [GaugeMetricFamily(one.name, one.says, labels=one.labels) for one in MEASURES]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        with self._lock:
            groups = dict(self._groups)
        now = self._now()
        families = {one.name: GaugeMetricFamily(one.name, one.says, labels=one.labels) for one in MEASURES}
        for group, (at, every_s, samples) in sorted(groups.items()):
            families[MEASURED_AT.name].add_metric([group], at)
            if now - at > BELIEVED * every_s:
                continue
            for sample in samples:
                values = [sample.labels[name] for name in sample.measure.labels]
                families[sample.measure.name].add_metric(values, sample.value)
        return [family for family in families.values() if family.samples]
