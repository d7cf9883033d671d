"""Versions of a compound's rules, and what is in force now, on a real database."""

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from alerts import mutes
from alerts.incidents.actor import Actor
from alerts.rulebook import modes, versions
from alerts.rulebook.current import current, of
from alerts.rulebook.models import RuleVersion
from alerts.rulebook.versions import BadRulesError, difference, digest_of, history, keep, newest
from alerts.rules import Mode
from registry.errors import MissingError, StaleEditError
from storage import Database
from storage.audit import AuditRow
from tests.support.compound import COMPOUND, ELSEWHERE, settle_in

NOW = dt.datetime(2026, 11, 23, 4, tzinfo=dt.UTC)
CHEN, LI = Actor("chen", "administrator"), Actor("li", "administrator")
TEXT = "version = 1\n[rules.R-E01]\nwindow_s = {}\n"


def put(database, text, *, by=CHEN, at=NOW, **more):
    with database.write() as session:
        row, new = keep(session, COMPOUND, text, by, at, **more)
        return row.number, new


def book(database, at=NOW, compound=COMPOUND):
    with database.read() as session:
        return of(session, compound, at)


def window(database, **more):
    entry = book(database, **more).entries.get("R-E01")
    return entry.values.get("window_s") if entry else None


def test_nothing_set_is_how_the_rules_come(settled):
    assert (book(settled).version, book(settled).entries) == ("default", {})


def test_each_text_is_a_version_and_the_last_one_holds(settled):
    assert put(settled, TEXT.format(12), note="slow readers") == (1, True)
    assert put(settled, TEXT.format(14), by=LI) == (2, True)
    assert (book(settled).version, window(settled)) == ("2", 14)
    with settled.read() as session:
        rows = history(session, COMPOUND)
        assert [(row.number, row.author, row.note) for row in rows] == [
            (2, "li", None),
            (1, "chen", "slow readers"),
        ]
        assert rows[1].text == TEXT.format(12)
        assert "-window_s = 12\n+window_s = 14" in difference(rows[1], rows[0])
        with pytest.raises(MissingError):
            versions.numbered(session, COMPOUND, 3)


def test_same_text_again_is_no_new_version_and_an_older_one_is(settled):
    put(settled, TEXT.format(12))
    assert put(settled, TEXT.format(12)) == (1, False)
    put(settled, TEXT.format(14))
    assert put(settled, TEXT.format(12)) == (3, True)
    assert window(settled) == 12


def test_file_with_errors_changes_nothing(settled):
    put(settled, TEXT.format(12))
    with pytest.raises(BadRulesError) as refused:
        put(settled, TEXT.format(99) + "[rules.R-Z99]\n")
    assert [one.line for one in refused.value.findings] == [3, 4]
    assert (book(settled).version, window(settled)) == ("1", 12)


def test_zones_are_looked_up_in_the_compound(settled):
    text = 'version = 1\n[rules.R-E01]\nzones = ["gate"]\n'
    assert put(settled, text) == (1, True)
    with pytest.raises(BadRulesError), settled.write() as session:
        keep(session, ELSEWHERE, text, CHEN, NOW)


def test_who_edited_an_older_version_is_told_so(settled):
    put(settled, TEXT.format(12), since=0)
    with pytest.raises(StaleEditError) as stale:
        put(settled, TEXT.format(14), since=0)
    assert stale.value.version == 1
    assert put(settled, TEXT.format(14), since=1) == (2, True)


def test_number_is_given_once_by_the_database(settled):
    put(settled, TEXT.format(12))
    with settled.write() as session:
        # Another process has put in its version between our reading and our writing.
        taken = RuleVersion(
            id="x", compound=COMPOUND, number=2, text="", digest=digest_of(""), author="li", at=NOW
        )
        real = versions.newest
        before = real(session, COMPOUND)
        session.add(taken)
        session.flush()
        versions.newest = lambda *_: before
        try:
            with pytest.raises(StaleEditError):
                keep(session, COMPOUND, TEXT.format(14), CHEN, NOW)
        finally:
            versions.newest = real
        # What else the transaction has written stays.
        assert newest(session, COMPOUND).id == "x"


def test_eight_who_save_at_once_give_numbers_without_a_gap(settled):
    start = threading.Barrier(8)

    def save(value):
        start.wait()
        try:
            return put(settled, TEXT.format(value))[0]
        except StaleEditError:
            return None

    with ThreadPoolExecutor(8) as pool:
        numbers = [number for number in pool.map(save, range(10, 18)) if number is not None]
    with settled.read() as session:
        kept = [row.number for row in history(session, COMPOUND)]
    assert numbers
    assert sorted(numbers) == sorted(kept) == list(range(1, len(kept) + 1))


def test_compounds_have_their_own(settled):
    put(settled, TEXT.format(12))
    assert book(settled, compound=ELSEWHERE).version == "default"


def test_change_is_in_the_audit_log(settled):
    put(settled, TEXT.format(12))
    with settled.read() as session:
        row = session.scalars(select(AuditRow).where(AuditRow.action == "rules.changed")).one()
        assert (row.actor, row.subject, row.compound) == ("chen", f"rules:{COMPOUND}", COMPOUND)
        assert row.detail.startswith("version 1 ")


def test_same_value_is_given_while_nothing_has_changed(settled):
    put(settled, TEXT.format(12))
    with settled.read() as session:
        first = current(session, COMPOUND, NOW)
        assert current(session, COMPOUND, NOW + dt.timedelta(seconds=2)) is first
    put(settled, TEXT.format(14))
    with settled.read() as session:
        assert current(session, COMPOUND, NOW) is not first


def test_asking_again_reads_no_text(settled):
    put(settled, TEXT.format(12))
    book(settled)
    with settled.write() as session:
        session.scalars(select(RuleVersion)).one().text = "no TOML"
    assert window(settled) == 12


def test_two_databases_with_a_version_one_do_not_share_it(settled, tmp_path, migrated_file):
    import shutil

    put(settled, TEXT.format(12))
    assert window(settled) == 12
    shutil.copy(migrated_file, tmp_path / "other.db")
    other = Database.at(tmp_path / "other.db")
    settle_in(other)
    put(other, TEXT.format(16))
    assert (window(other), window(settled)) == (16, 12)
    other.close()


def test_version_that_does_not_hold_any_more_goes_on_with_what_does(settled):
    with settled.write() as session:
        text = TEXT.format(12) + "[rules.R-Z99]\nold = 1\n[rules.R-E04]\ngone_s = 3\n"
        session.add(
            RuleVersion(
                id="v", compound=COMPOUND, number=1, text=text, digest=digest_of(text), author="li", at=NOW
            )
        )
    assert (book(settled).version, window(settled)) == ("1", 12)


def test_mode_is_part_of_what_holds(settled):
    put(settled, TEXT.format(12))
    with settled.write() as session:
        asked = modes.ask(session, COMPOUND, Mode.HEIGHTENED, dt.timedelta(hours=2), "break-ins", CHEN, NOW)
        modes.approve(session, COMPOUND, asked.id, LI, NOW)
    assert (book(settled).mode, window(settled)) == (Mode.HEIGHTENED, 12)
    assert book(settled, at=NOW + dt.timedelta(hours=2)).mode is Mode.NORMAL


def test_mutes_of_the_file_hold_for_the_engine(settled):
    text = (
        'version = 1\n[[mutes]]\nrule = "R-E01"\nplace = "gate-in"\nfrom = 2026-11-23T08:00:00\n'
        'until = 2026-11-24T08:00:00\nauthor = "office"\nreason = "works"\n'
    )
    put(settled, text)
    with settled.read() as session:
        (mute,) = mutes.in_force(session, COMPOUND, NOW)
        assert (mute.rule, mute.place) == ("R-E01", "gate-in")
        assert mute.ends_at == dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
        assert mutes.in_force(session, COMPOUND, mute.ends_at) == []
