import pytest

from recognition.evaluation.labels import BadLabelsError, Kind, read_aliases, read_labels

HEAD = "file,identity,source,group,kind\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"x")
    return tmp_path


def write(folder, text):
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    return folder


def test_pictures_come_in_order_with_kind_and_group(folder):
    (folder / "b.png").write_bytes(b"x")
    write(folder, HEAD + "a.jpg,one,set,,aligned 112x112\nb.png,two,set,east_asian,masked\n")
    first, second = read_labels(folder)
    assert (first.identity, first.group, first.kind) == ("one", "", Kind.ALIGNED)
    assert (second.path.name, second.group, second.kind) == ("b.png", "east_asian", Kind.MASKED)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (HEAD, None, "lists no pictures"),
        ("file,identity\na.jpg,one\n", 1, "no column source, group, kind"),
        (HEAD + "a.jpg,,set,,photo\n", 2, "identity is empty"),
        (HEAD + "a.jpg,one,set,,drawing\n", 2, "kind 'drawing'"),
        (HEAD + "gone.jpg,one,set,,photo\n", 2, "gone.jpg is not there"),
        (HEAD + "../a.jpg,one,set,,photo\n", 2, "outside the folder"),
        (HEAD + "a.jpg,one,set,,photo\na.jpg,two,set,,photo\n", 3, "listed twice"),
        (HEAD + "a.jpg,one\n", 2, "fewer than 5 columns"),
    ],
)
def test_a_table_that_is_wrong_says_where_and_why(folder, text, line, reason):
    with pytest.raises(BadLabelsError, match=reason) as refused:
        read_labels(write(folder, text))
    assert refused.value.line == line


def test_a_folder_without_a_table_and_one_that_is_no_text_are_refused(folder):
    with pytest.raises(BadLabelsError, match=r"labels\.csv"):
        read_labels(folder)
    (folder / "labels.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadLabelsError, match="not UTF-8"):
        read_labels(folder)


def test_aliases_join_and_leave_out(folder):
    path = folder / "aliases.csv"
    path.write_text("identity,same_as\nnan,wang\nwrong,\n")
    assert read_aliases(path) == {"nan": "wang", "wrong": ""}
    path.write_text("identity,same_as\nnan,nan\n")
    with pytest.raises(BadLabelsError, match="line 2"):
        read_aliases(path)
