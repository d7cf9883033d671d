"""Who does wrong must not be what the others feel: one mad camera, one mad compound, one stuck worker.

A deployment of four compounds runs as processes, with two recognition processes. Calm devices publish
and wait to be told that each event is safe, first alone and then beside each nuisance. What the nuisance
sends beyond its share is shed, which is counted; what was acknowledged is looked for in the database.
"""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from ringward.bench.estate import Crowd, Estate, Said, estate
from ringward.bench.gatecamera import GateCamera
from ringward.bench.report import Report, percentile, report
from ringward.demo import DemoPictures
from ringward.demo.portraits import STRANGER
from storage.events import EventRow

CALM_RATE: Final = 40.0
MAD_RATE: Final = 1000.0
PICTURE_EVERY_S: Final = 0.5
_COMPOUNDS: Final = 4
_CALM: Final = 24
_MAD: Final = 12
_AHEAD_S: Final = 2.0
_DECISIONS_S: Final = 150.0
# Drops are gathered for half a minute.
_WINDOW_S: Final = 60.0


def run(*, seconds: int, mad_rate: float = MAD_RATE, portraits: Path | None = None) -> Report:
    """Each nuisance for `seconds`."""
    pictures = _pictures(portraits)
    figures: dict[str, float] = {}
    with estate(
        compounds=_COMPOUNDS,
        devices=_CALM + _COMPOUNDS * _MAD,
        beside={"recognition-1": "recognition", "recognition-2": "recognition"},
    ) as here:
        # Devices go round the compounds: what is left of every compound but the last is calm.
        mad_compound = here.devices[-1][0]
        mad = [one for one in here.devices if one[0] == mad_compound]
        calm = [one for one in here.devices if one[0] != mad_compound][:_CALM]
        shown_to = next(one for one in here.devices if one not in (*mad, *calm))
        camera = GateCamera(here, shown_to, pictures, PICTURE_EVERY_S)
        camera.start()
        try:
            with Crowd(here, calm) as neighbours:
                here.await_(lambda: len(here.decided()) >= 2, "faces are decided")
                warm = _stretch(neighbours, 2).acknowledged
                scenes: dict[str, tuple[Said, Said | None, float]] = {}
                scenes["calm"] = _scene(here, neighbours, camera, seconds)
                for name, nuisance in (("mad_camera", mad[:1]), ("mad_compound", mad)):
                    with Crowd(here, nuisance) as others:
                        scenes[name] = _scene(here, neighbours, camera, seconds, others, mad_rate)
                scenes["stuck_worker"] = _beside_stuck_worker(here, neighbours, camera, seconds)
        finally:
            camera.stop()
        with contextlib.suppress(TimeoutError):
            here.await_(_all_decided(here, camera.tracks), "all is decided")
        here.await_(here.told, "all is told")
        lost = sum(said.acknowledged for said, _, _ in scenes.values()) + warm - _stored(here, calm)
        told = sum(mad_said.acknowledged for _, mad_said, _ in scenes.values() if mad_said)
        with contextlib.suppress(TimeoutError):
            here.await_(
                lambda: _stored(here, mad) + _counted(here) >= told, "what was shed is told", _WINDOW_S
            )
        shed = _counted(here)
        uncounted = told - _stored(here, mad) - shed
        undecided = len(set(camera.tracks) - here.decided().keys())
    for name, (said, _, decision_ms) in scenes.items():
        figures |= _told(name, said, decision_ms)
    figures |= {
        "acknowledged_lost": float(max(0, lost)),
        "pictures_undecided": float(undecided),
        "nuisances_sent": float(told),
        "nuisances_shed": float(shed),
        "nuisances_shed_uncounted": float(max(0, uncounted)),
    }
    ratios = {
        f"{name}_{key}_over_calm": figures[f"{name}_{key}_ms"] / figures[f"calm_{key}_ms"]
        for name in ("mad_camera", "mad_compound", "stuck_worker")
        for key in ("answer_p50", "answer_p99", "decision_p50")
    }
    settings = {
        "seconds": seconds,
        "compounds": _COMPOUNDS,
        "calm_rate_per_s": CALM_RATE,
        "mad_rate_per_s": mad_rate,
        "pictures_per_s": 1 / PICTURE_EVERY_S,
    }
    return report("fairness", settings, figures, {}, ratios)


def _scene(
    here: Estate,
    neighbours: Crowd,
    camera: GateCamera,
    seconds: float,
    others: Crowd | None = None,
    mad_rate: float = 0.0,
) -> tuple[Said, Said | None, float]:
    """What the neighbours were told, what the nuisance was, and how long a decision took, as a median."""
    if others is not None:
        # Its burst is used up before anybody looks.
        others.begin(rate=mad_rate, seconds=seconds + 2 * _AHEAD_S)
        time.sleep(_AHEAD_S)
    first = len(camera.tracks)
    said = _stretch(neighbours, seconds)
    seen = camera.tracks[first:]
    mad_said = others.end() if others is not None else None
    return said, mad_said, _decision(here, seen)


def _beside_stuck_worker(
    here: Estate, neighbours: Crowd, camera: GateCamera, seconds: float
) -> tuple[Said, Said | None, float]:
    """One of the two recognition processes stands still: it has a picture, and gives nothing back."""
    stuck = next(one for one in here.children if one.name == "recognition-2")
    stuck.signal(signal.SIGSTOP)
    try:
        return _scene(here, neighbours, camera, seconds)
    finally:
        stuck.signal(signal.SIGCONT)


def _stretch(crowd: Crowd, seconds: float) -> Said:
    crowd.begin(rate=CALM_RATE, seconds=seconds)
    return crowd.end()


def _decision(here: Estate, tracks: Sequence[str]) -> float:
    """Median milliseconds; raises `TimeoutError` where pictures are never decided."""
    here.await_(_all_decided(here, tracks), "the pictures are decided", _DECISIONS_S)
    decided = here.decided()
    return percentile([decided[track] for track in tracks], 0.5)


def _all_decided(here: Estate, tracks: Sequence[str]) -> Callable[[], bool]:
    return lambda: set(tracks) <= here.decided().keys()


def _told(name: str, said: Said, decision_ms: float) -> dict[str, float]:
    return {
        f"{name}_answer_p50_ms": percentile(list(said.waits_ms), 0.5),
        f"{name}_answer_p99_ms": percentile(list(said.waits_ms), 0.99),
        f"{name}_decision_p50_ms": decision_ms,
        f"{name}_neighbours_unanswered": float(said.sent - said.acknowledged),
    }


def _stored(here: Estate, devices: Sequence[tuple[str, str]]) -> int:
    names = [name for _, name in devices]
    with here.foundation.database.read() as session:
        query = select(func.count()).where(EventRow.type == "access.granted", EventRow.device_id.in_(names))
        return session.scalar(query) or 0


def _counted(here: Estate) -> int:
    """Events that were answered, shed, and are told as a number in a fault of their device."""
    with here.foundation.database.read() as session:
        bodies = session.scalars(select(EventRow.body).where(EventRow.type == "device.fault")).all()
    suppressed = [body.get("attributes", {}).get("suppressed", {}) for body in bodies]
    return sum(sum(counts.values()) for counts in suppressed)


def _pictures(portraits: Path | None) -> list[bytes]:
    drawn = DemoPictures(portraits or Path(sys.prefix) / "share" / "ringward" / "portraits")
    return [drawn.face(STRANGER) for _ in range(4)]
