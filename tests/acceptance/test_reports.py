"""Reports at the size of a real compound: what a file promises to list it lists, however long it is."""

import csv
import io
from collections import Counter
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

import storage.keys
import storage.vault
from console.accounts.models import Role
from registry.models import Dwelling, DwellingState, Household
from tests.acceptance.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    before = storage.keys._ring, storage.vault._vault
    site = Site(tmp_path_factory.mktemp("reports") / "site")
    site.settle()
    yield site
    site.close()
    storage.keys._ring, storage.vault._vault = before


def lines(client: TestClient, name: str) -> list[list[str]]:
    answer = client.get(f"/registry/reports/{name}.csv")
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))[1:]


def test_file_of_vacancies_lists_every_dwelling_without_a_household(site: Site) -> None:
    with site.ground.database.read() as session:
        lived_in = select(Household.dwelling).where(Household.dwelling.is_not(None))
        vacant = session.scalar(
            select(func.count())
            .select_from(Dwelling)
            .where(Dwelling.id.not_in(lived_in), Dwelling.state != DwellingState.SHOP)
        )
    assert vacant is not None
    assert vacant > 1_000
    assert len(lines(site.client(Role.PROPERTY_MANAGER), "vacancies")) >= vacant


def test_file_of_inconsistencies_has_as_many_lines_as_are_counted(site: Site) -> None:
    manager = site.client(Role.PROPERTY_MANAGER)
    counted = manager.get("/api/v1/reports/consistency").json()["counts"]
    assert max(counted.values()) > 1_000
    listed = Counter(line[0] for line in lines(manager, "consistency"))
    assert sorted(listed.values()) == sorted(number for number in counted.values() if number)
    page = manager.get("/registry/reports/consistency", headers={"Accept-Language": "en"}).text
    assert "the file has them all" in page
