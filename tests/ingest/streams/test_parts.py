"""Parts of a stream, however its bytes are cut and however wrong the camera counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.streams.parts import NotAStreamError, PartReader, StreamPart

MOST = 4096
KIND = "multipart/mixed; boundary=edge"
JPEG = b"\xff\xd8\xff\xe0 bytes \r\n--edge of something\r\n\x00 more \xff\xd9"
XML = b"<a>\r\n<b/>\r\n</a>"


def whole(kind: str, content: bytes) -> bool:
    return content.rstrip().endswith(b"\xff\xd9" if "image" in kind else b"</a>")


def reader(kind: str = KIND, most: int = MOST) -> PartReader:
    return PartReader(kind, most, whole)


def part(
    content: bytes, kind: bytes = b"application/xml", length: int | None = None, edge: bytes = b"edge"
) -> bytes:
    said = b"" if length is None else b"Content-Length: %d\r\n" % length
    return b"--%s\r\nContent-Type: %s\r\n%s\r\n%s\r\n" % (edge, kind, said, content)


def contents(parts: list[StreamPart]) -> list[bytes]:
    return [one.content for one in parts if one.content]


@given(st.lists(st.integers(1, 400), max_size=12), st.booleans())
def test_parts_are_the_same_however_the_bytes_are_cut(cuts: list[int], with_lengths: bool) -> None:
    told = [(XML, b"application/xml"), (JPEG, b"image/jpeg"), (b"", b"image/jpeg"), (XML * 20, b"text/xml")]
    data = b"".join(part(content, kind, len(content) if with_lengths else None) for content, kind in told)
    data += b"--edge--\r\n"
    reading, found, position = reader(), [], 0
    for size in cuts:
        found += reading.feed(data[position : position + size])
        position += size
    found += reading.feed(data[position:])
    assert contents(found) == [XML, JPEG, XML * 20]


@given(st.binary(max_size=600), st.integers(1, 50))
def test_no_bytes_break_it_or_stay_for_ever(data: bytes, size: int) -> None:
    reading = reader(most=200)
    found = reading.feed(b"--edge\r\n")
    for start in range(0, len(data), size):
        try:
            found += reading.feed(data[start : start + size])
        except NotAStreamError:
            return
    assert all(len(one.content) <= 200 for one in found)


@pytest.mark.parametrize("length", [None, len(XML)])
def test_part_with_a_true_length_needs_no_boundary_behind_it(length: int | None) -> None:
    reading = reader()
    found = reading.feed(part(XML, length=length))
    assert contents(found) == ([] if length is None else [XML])
    assert contents(found + reading.pause()) == ([XML] if length else [XML + b"\r\n"])
    assert contents(reading.feed(part(XML, length=length))) == ([] if length is None else [XML])


def test_pause_takes_no_half_part() -> None:
    reading = reader()
    assert reading.feed(part(XML)[:-8]) == []
    assert reading.pause() == []
    assert not reading.between
    assert contents(reading.feed(part(XML)[-8:] + b"--edge\r\n")) == [XML]


@pytest.mark.parametrize("wrong", [-7, 9, 3000])
def test_length_that_is_wrong_costs_nothing(wrong: int) -> None:
    reading = reader()
    found = reading.feed(part(XML, length=len(XML) + wrong) * 3 + b"--edge\r\n")
    assert contents(found) == [XML] * 3


def test_length_that_was_wrong_is_not_believed_again() -> None:
    reading = reader()
    cut_short = JPEG + b"tail \xff\xd9"
    found = reading.feed(
        part(cut_short, b"image/jpeg", len(JPEG)) + part(cut_short, b"image/jpeg", len(JPEG))
    )
    assert contents(found) == [cut_short]
    assert contents(reading.feed(b"--edge\r\n")) == [cut_short]


@pytest.mark.parametrize(
    ("named", "written"),
    [
        ("boundary=edge", b"edge"),
        ("boundary=--edge", b"edge"),
        ("boundary=--edge", b"--edge"),
        ('boundary="edge"', b"edge"),
        ("boundary=other", b"edge"),
        ("", b"edge"),
    ],
)
def test_boundary_is_the_one_that_is_written(named: str, written: bytes) -> None:
    reading = reader(f"multipart/x-mixed-replace; {named}")
    found = reading.feed(
        b"\r\n" + part(XML, edge=written) + part(JPEG.replace(b"edge", b"ledge"), edge=written)
    )
    assert contents(found) == [XML]


def test_boundary_may_be_written_without_dashes() -> None:
    reading = reader()
    found = reading.feed((part(XML) + part(XML)).replace(b"--edge", b"edge") + b"edge\r\n")
    assert contents(found) == [XML, XML]


def test_closing_boundary_ends_nothing() -> None:
    reading = reader()
    assert contents(reading.feed((part(XML) + b"--edge--\r\n") * 2)) == [XML, XML]


def test_boundary_behind_each_part_begins_no_part() -> None:
    reading = reader()
    assert contents(reading.feed(part(XML) + b"--edge\r\n")) == [XML]
    assert reading.between


def test_part_without_headers_is_all_content() -> None:
    reading = reader()
    found = reading.feed(b"--edge\r\n" + XML + b"\r\n--edge\r\n\r\n" + XML + b"\r\n--edge\r\n")
    assert contents(found) == [XML, XML]


def test_bare_line_ends_are_taken() -> None:
    reading = reader()
    data = b"--edge\nContent-Type: application/xml\n\n<a>\n</a>\n--edge\n"
    assert contents(reading.feed(data)) == [b"<a>\n</a>"]


def test_headers_say_what_a_part_is_and_nothing_else_is_kept() -> None:
    head = b'Content-Type: Image/PJPEG\r\nContent-Disposition: form-data; name="pic"\r\nX-Other: 1\r\n'
    (found,) = reader().feed(b"--edge\r\n" + head + b"\r\n" + JPEG + b"\r\n--edge\r\n")
    assert found.content_type == "image/pjpeg"
    assert found.head == (b"Content-Type: Image/PJPEG", b'Content-Disposition: form-data; name="pic"')


def test_part_that_is_too_large_is_left_out_and_the_next_is_read() -> None:
    reading = reader(most=100)
    big = part(b"<a>" + b"x" * 5000, length=5003)
    found: list[StreamPart] = []
    for start in range(0, len(big), 64):
        found += reading.feed(big[start : start + 64])
        assert reading.held < 600
    found += reading.feed(part(XML) + b"--edge\r\n")
    assert contents(found) == [XML]
    assert reading.too_large == 1


def test_what_was_cut_off_is_given_at_the_end() -> None:
    reading = reader()
    reading.feed(part(JPEG, b"image/jpeg", 5000))
    rest = reading.end()
    assert rest is not None
    assert rest.content.startswith(JPEG)
    assert reader().end() is None


@pytest.mark.parametrize("data", [b"<html>" + b"x" * 70_000, b"<p>no</p>\r\n" * 7000])
def test_what_has_no_boundary_is_no_stream(data: bytes) -> None:
    with pytest.raises(NotAStreamError):
        reader().feed(data)


def test_headers_without_end_are_no_stream() -> None:
    with pytest.raises(NotAStreamError):
        reader().feed(b"--edge\r\n" + b"X-More: yes\r\n" * 7000)
