import io
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import archive
from storage.archive import ArchiveError, DamagedError, Reader, Writer, WrongPassphraseError, frame, frames

# A key that costs nothing to make: these tests are not about guessing.
CHEAP = 2
PHRASE = "horse staple"


def written(content: bytes, phrase: str = PHRASE) -> bytes:
    out = io.BytesIO()
    writer = Writer(out, phrase, "test", scrypt_n=CHEAP)
    writer.write(content)
    writer.finish()
    return out.getvalue()


def read(data: bytes, phrase: str = PHRASE, kind: str = "test") -> bytes:
    reader = Reader(io.BytesIO(data), phrase, kind)
    content = b""
    while piece := reader.read(100_000):
        content += piece
    return content


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "CHUNK", 64)


@given(st.binary(max_size=400))
def test_content_comes_back(content: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "CHUNK", 64)
        data = written(content)
        assert read(data) == content
    assert len(content) < 8 or content not in data


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 128, 129])
def test_every_length_around_a_chunk_comes_back(small_chunks: None, size: int) -> None:
    assert read(written(b"x" * size)) == b"x" * size


@pytest.mark.parametrize("content", [b"", b"abc", os.urandom(200)])
def test_file_that_is_cut_anywhere_does_not_read_to_its_end(small_chunks: None, content: bytes) -> None:
    data = written(content)
    for length in range(len(data)):
        with pytest.raises(ArchiveError):
            read(data[:length])


def test_file_that_is_altered_anywhere_does_not_read(small_chunks: None) -> None:
    data = written(b"y" * 100)
    for position in range(len(data)):
        altered = bytearray(data)
        altered[position] ^= 1
        with pytest.raises(ArchiveError):
            read(bytes(altered))


def test_bytes_after_the_end_are_noticed(small_chunks: None) -> None:
    for more in (b"x", b"x" * 80, b"x" * 200):
        with pytest.raises(DamagedError):
            read(written(b"y" * 100) + more)


def test_chunks_cannot_change_places(small_chunks: None) -> None:
    data = written(b"".join(bytes([n]) * 64 for n in range(4)))
    head = len(data) - 4 * 80
    first, second, rest = data[head : head + 80], data[head + 80 : head + 160], data[head + 160 :]
    assert read(data[:head] + first + second + rest)
    with pytest.raises(DamagedError) as damaged:
        read(data[:head] + second + first + rest)
    assert damaged.value.at == 0


def test_chunk_of_another_file_does_not_fit(small_chunks: None) -> None:
    one, other = written(b"a" * 64), written(b"b" * 64)
    with pytest.raises(DamagedError):
        read(one[:-80] + other[-80:])


def test_wrong_passphrase_is_told_apart_from_damage() -> None:
    with pytest.raises(WrongPassphraseError):
        read(written(b"abc"), "another")


def test_one_kind_is_not_taken_for_another() -> None:
    with pytest.raises(DamagedError, match="kind"):
        read(written(b"abc"), kind="keys")


def test_head_cannot_make_the_reader_work_for_hours() -> None:
    data = written(b"abc").replace(b'"n":2,', b'"n":1073741824,')
    length = int.from_bytes(data[6:10], "big") + len("1073741824") - 1
    with pytest.raises(DamagedError):
        read(data[:6] + length.to_bytes(4, "big") + data[10:])


def test_hash_is_of_the_whole_file() -> None:
    import hashlib

    out = io.BytesIO()
    writer = Writer(out, PHRASE, "test", scrypt_n=CHEAP)
    writer.write(b"abc")
    said = writer.finish()
    assert said == hashlib.sha256(out.getvalue()).hexdigest()
    assert writer.size == len(out.getvalue())
    reader = Reader(io.BytesIO(out.getvalue()), PHRASE, "test")
    while reader.read(10):
        pass
    assert reader.sha256 == said


def test_frames_come_back_one_by_one() -> None:
    values = [{"a": 1}, ["rows", [[1, None, b"\0\xff", "名"]]], "", 0]
    out = io.BytesIO()
    writer = Writer(out, PHRASE, "test", scrypt_n=CHEAP)
    for value in values:
        frame(writer, value)
    writer.finish()
    assert list(frames(Reader(io.BytesIO(out.getvalue()), PHRASE, "test"))) == values


def test_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "there" / "file"

    def work(file) -> None:
        file.write(b"whole")
        assert not path.exists()

    archive.write_file(path, work)
    assert path.read_bytes() == b"whole"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def failing(file) -> None:
        file.write(b"half")
        raise OSError

    with pytest.raises(OSError):
        archive.write_file(path, failing)
    assert path.read_bytes() == b"whole"
    assert [found.name for found in path.parent.iterdir()] == ["file"]
