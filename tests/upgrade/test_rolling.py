"""The schema first, then one process after another, and back again, while doors are forced."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import migrate
from tests.upgrade import nextversion
from tests.upgrade.street import GROUPS, Street

# Many processes start one after the other: a busy machine takes minutes for it.
pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(900)]


@pytest.fixture
def street(tmp_path: Path, ring: object, postgres) -> Iterator[Street]:
    with postgres.empty() as url:
        made = Street(tmp_path, url)
        yield made
        made.close()


def test_upgrade_and_the_way_back_lose_nothing_and_refuse_nobody(street: Street) -> None:
    own = nextversion.ROOT
    for group in GROUPS:
        street.replace(group, own)
    street.force_doors()
    street.works()
    # The version before works on in the schema of the next one.
    street.migrate(street.next)
    assert migrate.standing(street.ground.database).at == street.revision
    street.works()
    for tree in (street.next, own):
        for group in GROUPS:
            street.replace(group, tree)
            street.works()
    # The ones between were of the next version, and the last ones work in a schema that is not theirs.
    between = street.all[len(GROUPS) : 2 * len(GROUPS)]
    assert not any("schema.newer" in program.said() for program in between)
    assert all("schema.newer" in program.said() for program in street.running.values())
    street.settle()
    counts = Counter(street.stored())
    assert set(street.forced) <= counts.keys()
    assert max(counts.values()) == 1
    assert max(Counter(street.told()).values()) == 1
    for program in street.all:
        assert "SchemaToo" not in program.said()
