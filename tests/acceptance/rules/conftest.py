"""The rules' timelines share their words; see `telling`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
