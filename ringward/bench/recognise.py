"""How fast recognition is on one core, beside the plain face_recognition recipe on the same pictures.

The engines are measured in a process of their own that is tied to one core; then recognition
processes as they run in a deployment work off a backlog, one and two of them.
"""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import msgspec

from ringward.bench import workers
from ringward.bench.looking import LARGE_GALLERY, PEOPLE, PLATE_WIDTH, Asked, Found
from ringward.bench.report import Report, percentile, report
from ringward.bench.rig import rig
from ringward.child import ONE_THREAD


def run(
    *,
    pictures: int,
    backlog: int,
    portraits: Path | None = None,
    shelf: Path | None = None,
    engine: str | None = None,
) -> Report:
    """`pictures` are looked at by everybody; `backlog` is what the processes work off."""
    folder = portraits or Path(sys.prefix) / "share" / "ringward" / "portraits"
    before = os.getloadavg()[0]
    found = _look(Asked(pictures, str(folder), str(shelf) if shelf else None, engine))
    between = os.getloadavg()[0]
    with rig(more=workers.CAMERAS) as ground:
        process = workers.measure(ground, backlog, folder)
    figures: dict[str, float] = {}
    for name, times in found.times.items():
        if name != "recipe":
            figures[f"{name}_picture_p50_ms"] = median(times)
            figures[f"{name}_picture_p95_ms"] = percentile(times, 0.95)
    figures |= {
        "faces_placed": found.faces["placed"],
        **{f"{name}_faces_found": found.faces[name] for name in found.times},
        "search_100k_p50_ms": median(found.search_ms),
        "search_100k_p95_ms": percentile(found.search_ms, 0.95),
        "plates_960px_p50_ms": median(found.plates_ms),
        "plates_960px_p95_ms": percentile(found.plates_ms, 0.95),
        "one_worker_pictures_per_s": backlog / process.one_s,
        "two_workers_pictures_per_s": backlog / process.two_s,
        "worker_resident_mb": max(process.resident_mb),
        "worker_warm_start_s": median(process.warm_start_s),
    }
    recipe = sum(found.times["recipe"])
    ratios = {
        f"{name}_over_recipe": recipe / sum(times) for name, times in found.times.items() if name != "recipe"
    }
    return report(
        "recognise",
        {
            "pictures": pictures,
            "people": PEOPLE,
            "search_templates": LARGE_GALLERY,
            "plates_width_px": PLATE_WIDTH,
            "backlog_pictures": backlog,
            "engines": found.versions,
            # Two workers need two cores that nobody else uses.
            "load_1min": [round(before, 2), round(between, 2)],
            "cores_busy_elsewhere": [round(share, 2) for share in process.elsewhere],
        },
        figures,
        {
            "recipe_picture_p50_ms": median(found.times["recipe"]),
            "recipe_picture_p95_ms": percentile(found.times["recipe"], 0.95),
        },
        ratios | {"two_workers_over_one": process.one_s / process.two_s},
    )


def _look(asked: Asked) -> Found:
    done = subprocess.run(
        [sys.executable, "-m", "ringward.bench.looking", msgspec.json.encode(asked).decode()],
        env=os.environ | dict.fromkeys(ONE_THREAD, "1"),
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Found)
