"""What a console process is started with: every library that it does without is memory for its pages."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Pictures, paper, sheets, calendars, workers and migrations: each comes when it is asked for.
WITHOUT = (
    *("cv2", "PIL", "onnxruntime", "dlib", "reportlab", "openpyxl", "icalendar"),
    *("faststream", "apprise", "alembic"),
)
ASK = """
import json, sys
import ringward.process, ringward.web
import console.pages
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_console_starts_without_the_libraries_of_the_other_roles() -> None:
    said = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, capture_output=True, text=True, check=True, timeout=100
    )
    there = set(json.loads(said.stdout.splitlines()[-1]))
    assert "fastapi" in there
    assert there.isdisjoint(WITHOUT)
