"""What is decided while a gallery is embedded anew, at a gate."""

import pytest

from recognition.reembedding import ChosenEngines, Reembedder
from recognition.reembedding.reembedder import LOOK_EVERY
from tests.support.clock import VirtualClock
from tests.support.passages import STRANGER, FakeEngine, Street, vector

ANN = 1000


class FormerEngine(FakeEngine):
    version = "0"


@pytest.fixture
def street(database, media, ring):
    made = Street(database, media, ring, VirtualClock())
    made.lives("ann", None)
    return made


def worker(street, former):
    return street.new_worker(ChosenEngines(street.engine, lambda _: former, street.database))


def outcome(street, face, looker):
    street.clock.advance(60)
    street.sees(face, worker=looker)
    last = street.decisions()[-1]
    return last.outcome, "gallery_incomplete" in last.reasons, last.engine_version


def test_former_engine_decides_until_the_gallery_is_ready(street):
    former = FormerEngine()

    street.enrol("ann", vector(ANN), engine=former)
    looker = worker(street, former)
    assert outcome(street, ANN, looker) == ("identified", False, "0")
    assert outcome(street, STRANGER, looker) == ("unknown", False, "0")
    street.enrol("ann", vector(ANN))
    # All photos are looked at: the one template without a picture can give nothing.
    reembedder = Reembedder(street.database, street.media, street.engine, street.clock)
    while reembedder.step():
        pass
    looker.refresh()
    assert outcome(street, ANN, looker) == ("identified", False, "1")


def test_nobody_is_called_unknown_while_the_former_engine_is_gone_and_the_gallery_is_not_ready(street):

    street.enrol("ann", vector(ANN), engine=FormerEngine())
    looker = worker(street, None)
    assert outcome(street, ANN, looker)[:2] == ("uncertain", True)
    # Nothing can be made of a template without a photo, which ends the run all the same.
    reembedder = Reembedder(street.database, street.media, street.engine, street.clock)
    while reembedder.step():
        pass
    street.clock.advance(LOOK_EVERY.total_seconds())
    looker.refresh()
    assert outcome(street, ANN, looker)[:2] == ("unknown", False)
