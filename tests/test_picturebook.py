"""The pictures of the documents: each that is shown is one that `make screenshots` takes, and nothing else is kept."""

import re
from pathlib import Path

import pytest

from tests import picturebook as book
from tests.screenshots import FOLDER, LANGUAGES

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
NAMES = book.names(LANGUAGES)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_shows_pictures_that_are_taken_and_in_its_own_language(path: Path) -> None:
    own, other = ("zh", "en") if path.name.endswith(".zh-CN.md") else ("en", "zh")
    for name in re.findall(r"screenshots/([\w-]+)\.\w+", path.read_text("utf-8")):
        assert name in NAMES
        assert own in name.split("-")
        assert other not in name.split("-")


def test_the_folder_holds_no_picture_that_is_not_taken_any_more() -> None:
    assert {path.name for path in FOLDER.iterdir()} <= {f"{name}.webp" for name in NAMES}


def test_no_two_pages_have_the_same_picture() -> None:
    assert len(NAMES) == sum(len(shot.names(language)) for shot in book.ALL for language in LANGUAGES)


def test_each_page_is_taken_on_a_screen_and_on_a_phone() -> None:
    # The wall hangs on a wall.
    assert [shot.name for shot in book.ALL if shot.sizes != (book.DESKTOP, book.PHONE)] == ["wall"]
