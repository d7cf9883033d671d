"""The rules file on disk: taken in when it changes, refused out loud, and never a reason to stop."""

import datetime as dt
import os

import pytest

from alerts.incidents.actor import Actor
from alerts.rulebook import intake
from alerts.rulebook.current import of
from alerts.rulebook.versions import history, keep
from registry.models import Ring, Zone
from tests.support.compound import COMPOUND

NOW = dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)
TEXT = "version = 1\n[rules.R-E01]\nwindow_s = {}\n"


class Stage:
    def __init__(self, database, path):
        self.database, self.path = database, path
        self.file = intake.RulesFile(database, COMPOUND, path)
        self.at, self._ticks = NOW, 0

    def write(self, text):
        self.path.write_text(text, encoding="utf-8")
        # File systems tell times apart by as little as they like.
        self._ticks += 1
        os.utime(self.path, ns=(self._ticks, self._ticks))

    def look(self, seconds=5):
        self.at += dt.timedelta(seconds=seconds)
        return self.file.look(self.at)

    def window(self):
        with self.database.read() as session:
            entry = of(session, COMPOUND, self.at).entries.get("R-E01")
            return entry.values.get("window_s") if entry else None

    def state(self):
        with self.database.read() as session:
            row = intake.state(session, COMPOUND)
            session.expunge(row)
            return row

    def versions(self):
        with self.database.read() as session:
            return [(row.number, row.author) for row in history(session, COMPOUND)]

    def restart(self):
        self.file = intake.RulesFile(self.database, COMPOUND, self.path)


@pytest.fixture
def stage(on_sqlite, tmp_path):
    return Stage(on_sqlite, tmp_path / "rules.toml")


def test_file_is_taken_in_at_the_start_and_when_it_changes(stage):
    stage.write(TEXT.format(12))
    assert stage.look()
    assert stage.window() == 12
    assert not stage.look()
    stage.write(TEXT.format(14))
    assert stage.look()
    assert (stage.window(), stage.versions()) == (14, [(2, "rules_file"), (1, "rules_file")])


def test_bad_file_leaves_the_old_rules_in_force_and_says_so(stage):
    stage.write(TEXT.format(12))
    stage.look()
    stage.write(TEXT.format(99) + "[rules.R-E1]\n")
    assert not stage.look()
    assert (stage.window(), stage.file.refused) == (12, True)
    state = stage.state()
    assert [(one["line"], one["code"]) for one in state.findings] == [
        (3, "out_of_range"),
        (4, "unknown_rule"),
    ]
    since = state.refused_since
    assert since == stage.at
    stage.look(70)
    assert stage.state().refused_since == since
    stage.write(TEXT.format(13))
    assert stage.look()
    assert (stage.window(), stage.state().refused_since, stage.state().findings) == (13, None, [])
    assert not stage.file.refused


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (lambda path: None, "file_missing"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "file_not_utf8"),
        (lambda path: path.mkdir(), "file_unreadable"),
        (lambda path: path.write_text("<html>"), "toml"),
        (lambda path: path.write_bytes(b""), "version_missing"),
    ],
)
def test_whatever_lies_there_instead_is_refused_in_words(stage, write, code):
    write(stage.path)
    assert not stage.look()
    assert [one["code"] for one in stage.state().findings] == [code]
    assert stage.versions() == []


def test_what_was_set_in_the_console_since_outlives_a_restart(stage):
    stage.write(TEXT.format(12))
    stage.look()
    with stage.database.write() as session:
        keep(session, COMPOUND, TEXT.format(20), Actor("chen", "administrator"), stage.at)
    stage.restart()
    assert not stage.look()
    assert stage.window() == 20
    stage.write(TEXT.format(15))
    assert stage.look()
    assert stage.window() == 15


def test_refused_file_is_looked_at_again_when_the_zone_is_there(stage):
    stage.write('version = 1\n[rules.R-E01]\nwindow_s = 12\nzones = ["north-gate"]\n')
    assert not stage.look()
    with stage.database.write() as session:
        session.add(
            Zone(id="north-gate", compound=COMPOUND, name="北门", ring=Ring.ENTRANCE, kind="gate", outline=[])
        )
    assert not stage.look(5)
    assert stage.look(60)
    assert stage.window() == 12


def test_database_that_is_away_is_tried_again(stage, monkeypatch):
    stage.write(TEXT.format(12))
    with monkeypatch.context() as patched:
        patched.setattr(stage.file, "_database", None)
        with pytest.raises(AttributeError):
            stage.look()
    assert stage.look()
    assert stage.window() == 12
