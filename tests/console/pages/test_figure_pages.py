"""Reports as people meet them: who sees them, what the address keeps, what leaves as a file."""

from collections.abc import Callable

from fastapi.testclient import TestClient

Visit = Callable[..., TestClient]


def test_the_first_part_is_there_at_once_and_the_others_follow(visit: Visit) -> None:
    page = visit("manager", "en").get("/console/reports?span=week")
    assert page.status_code == 200
    assert page.text.count('<section class="card report"') == 1
    assert 'hx-get="/console/reports/parts/devices?span=week"' in page.text
