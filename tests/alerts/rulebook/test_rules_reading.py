"""A rules file as a tree with lines: whatever TOML can be written like, and what is no TOML."""

import textwrap
import tomllib

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rulebook.reading import LARGEST, Branch, Leaf, pieces, read


def lines(node: Branch, path: tuple = ()) -> dict[tuple, int]:
    found = {}
    for name, inner in node.items.items():
        for at, one in enumerate(inner) if isinstance(inner, list) else [(None, inner)]:
            where = (*path, name) if at is None else (*path, name, at)
            found[where] = one.line
            if isinstance(one, Branch):
                found |= lines(one, where)
    return found


def plain(node):
    if isinstance(node, Leaf):
        return node.value
    if isinstance(node, list):
        return [plain(one) for one in node]
    return {name: plain(inner) for name, inner in node.items.items()}


EVERYTHING = textwrap.dedent(
    '''\
    # a comment
    version = 1
    rules.T-09.window_s = 7

    [night]  # of winter
    from = 23:00:00
    to = "05:00"
      [rules.T-01]
      window_s = 1
      severity.day = 3
      zones = [
        "gate",
        [  "no", ["table"] ],
      ]
      severity.night = 2

    [rules."T-02"]
    text = """
    [night]
    from = 1"""
    [[rules.T-03.hours]]
    name = "a"

    [[rules.T-03.hours]]
    name = "b"
    [rules.T-03.hours.inner]
    x = 1
    [rules.T-03]
    y = 1
    [[mutes]]
    rule = "a"
    [budget]
    per_operator = 1
    [[mutes]]
    rule = "b"
    [last]
    one = {a = 1, b = [{c = 2}]}
    '''
)


def test_every_key_and_table_knows_its_line_however_it_was_written():
    tree, mistakes = read(EVERYTHING)
    assert mistakes == []
    source = EVERYTHING.splitlines()
    for path, line in lines(tree).items():
        named = [part for part in path if isinstance(part, str)]
        assert named[-1] in source[line - 1] or path in {("rules",), ("rules", "T-09")}, (path, line)
    found = lines(tree)
    assert found["rules", "T-01", "severity", "night"] == 15
    assert (found["mutes", 0], found["mutes", 1], found[("budget",)]) == (30, 34, 32)
    assert found["rules", "T-03", "hours", 1, "inner", "x"] == 27


def test_reads_what_another_reader_reads():
    assert plain(read(EVERYTHING)[0]) == tomllib.loads(EVERYTHING)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_lines_are_counted_alike_with_the_line_ends_of_other_systems(ends):
    text = ends.join(["a = 1", "", "[t]", "b = 2", ""])
    assert lines(read(text)[0]) == {("a",): 1, ("t",): 3, ("t", "b"): 4}


def test_mark_at_the_beginning_that_editors_leave_is_no_mistake():
    assert read("\ufeffa = 1")[1] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = \nb = 1\nc = ?\n", [(1, "toml"), (3, "toml")]),
        ("[t]\na = 1\na = 2\n", [(3, "twice")]),
        ("[t]\n[u]\n[t]\n", [(3, "twice")]),
        ("t = 1\n[t]\n", [(2, "twice")]),
        ("[[t]]\n[t]\nx = 1\n[[u]]\n", [(2, "twice")]),
        ("[t\nx = 1\n[u]\ny = ?\n", [(1, "toml"), (4, "toml")]),
        ("[t]\na = [1,\n2\n[u]\nb = 1\n", [(2, "toml_ended")]),
        ('[t]\na = """\n\n[u]\nb = ?\n', [(2, "toml_ended"), (5, "toml")]),
        ("[t]\nx = 1\ny = {a = 1, a = 2}\n", [(3, "twice")]),
        ("a.b = 1\n[a]\nc = 1\n", [(3, "toml")]),
        ("<html>", [(1, "toml")]),
        ("\x00\x01", [(1, "toml")]),
        ("x" * (LARGEST + 1), [(1, "toml_size")]),
    ],
)
def test_every_mistake_is_named_with_its_line_and_not_the_first_alone(text, expected):
    assert [(one.line, one.code) for one in read(text)[1]] == expected


def test_what_stands_beside_a_mistake_is_read():
    tree, _ = read("[a]\nx = ?\ny = 2\n[b\nz = 3\n[c]\nw = 4\n")
    assert plain(tree) == {"a": {"y": 2}, "c": {"w": 4}}


def test_pieces_put_together_are_the_file():
    assert "".join(piece.text for piece in pieces(EVERYTHING)) == EVERYTHING


KEYS = st.sampled_from(["a", "b", "T-01", "night", "from"])
VALUES = st.one_of(
    st.integers(-5, 5),
    st.booleans(),
    st.text("ab[]#=\n ", max_size=8),
    st.lists(st.integers(0, 3), max_size=3),
    st.lists(st.fixed_dictionaries({"x": st.integers(0, 3)}), min_size=1, max_size=2),
)
TREES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=4), lambda inner: st.dictionaries(KEYS, inner | VALUES, max_size=4)
)


@settings(max_examples=150, deadline=None)
@given(TREES)
def test_any_table_that_is_written_is_read_back(tree):
    text = tomlkit.dumps(tree)
    got, mistakes = read(text)
    if tomlkit.parse(text).unwrap() == tree:
        assert mistakes == []
        assert plain(got) == tree


@settings(max_examples=300, deadline=None)
@given(st.text("ab=[]{}\"'\n .#,1-\\", max_size=60))
def test_no_text_at_all_breaks_it(text):
    tree, mistakes = read(text)
    assert isinstance(tree, Branch)
    assert all(1 <= one.line <= text.count("\n") + 1 for one in mistakes)
    try:
        tomlkit.parse(text)
    except Exception:  # noqa: BLE001 - whatever it says, so must we
        assert mistakes
