"""The parts of an answer that does not end, cut out as they come.

`devices.adapters.multipart` reads a whole body; here bytes come in any pieces, the end is never
seen, and what lies in memory is bounded. Cameras are not exact about the format:

- the boundary of the header is not the one in the body, or has two dashes more or less: the
  first line that begins with dashes is the boundary;
- a closing boundary is followed by more parts;
- `Content-Length` is missing, or counts too many or too few: it is only a hint that lets a part
  be taken before the next boundary comes, where what came by then is whole;
- a part has no headers, or the line ends are bare.
"""

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, NamedTuple

# Of what stands before the first boundary, and of one part's headers.
_HEAD_MOST: Final = 65_536
_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]{1,200})"|([^";,\s]{1,200}))', re.IGNORECASE)
_KEPT: Final = frozenset([b"content-type", b"content-disposition", b"content-id"])
_HEADER_MOST: Final = 1000
_CONTENT: Final = (b"<", b"{", b"\xef\xbb\xbf", b"Code=", b"Events[", b"Heartbeat")
# A length may count the line ends behind the content.
_LINE_ENDS: Final = 4


class NotAStreamError(Exception):
    """What comes is no stream of parts."""


class StreamPart(NamedTuple):
    """One part: the headers that say what it is, their content type in lower case, and its bytes."""

    head: tuple[bytes, ...]
    content_type: str
    content: bytes


class _State(Enum):
    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()
    # A body that is too large: its end is looked for, and nothing of it is kept.
    SKIPPING = auto()


class PartReader:
    """`is_whole` says of a content type and content whether nothing is missing at their end.

    `most` bytes of one part are kept; whoever reads may change it. `too_large` counts the parts that
    were longer.
    """

    def __init__(self, content_type: str, most: int, is_whole: Callable[[str, bytes], bool]) -> None:
        self.most = most
        self.too_large = 0
        self._is_whole = is_whole
        named = _BOUNDARY.search(content_type)
        self._named = (named.group(1) or named.group(2)).encode("latin-1", "replace") if named else None
        self._ends: re.Pattern[bytes] | None = None
        self._boundary = b""
        self._buffer = bytearray()
        self._state = _State.BETWEEN
        self._searched = 0
        self._head: list[bytes] = []
        self._has_headers = False
        self._length: int | None = None
        # Until one was wrong.
        self._lengths_hold = True
        self._taken_by_length = False

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return len(self._buffer)

    @property
    def between(self) -> bool:
        """Whether no part has begun; its boundary may be there, which some write behind each part."""
        begun = self._state is not _State.BETWEEN and (self._state is not _State.HEAD or self._has_headers)
        return not begun and self._boundary.startswith(self._buffer.strip())

    def feed(self, data: bytes) -> list[StreamPart]:
        """The parts that are complete now. Raises `NotAStreamError`."""
        self._buffer += data
        found: list[StreamPart] = []
        while self._step(found):
            pass
        return found

    def pause(self) -> list[StreamPart]:
        """Nothing came for a while: a part whose end was not seen yet counts if it is whole."""
        if self._state is not _State.BODY:
            return []
        content = bytes(self._buffer)
        if self._length is not None and self._lengths_hold:
            return [self._cut(self._length, 0)] if 0 < self._length <= len(content) else []
        if content.strip() and self._is_whole(self._type(), content.rstrip(b"\r\n")):
            return [self._cut(len(content), 0)]
        return []

    def end(self) -> StreamPart | None:
        """What there is of a part that was cut off."""
        if self._state is not _State.BODY or not self._buffer.strip():
            return None
        return self._cut(len(self._buffer), 0)

    def _step(self, found: list[StreamPart]) -> bool:
        match self._state:
            case _State.BETWEEN:
                return self._seek()
            case _State.HEAD:
                return self._read_head()
            case _State.BODY:
                return self._read_body(found)
            case _State.SKIPPING:
                return self._skip()

    def _seek(self) -> bool:
        """Takes a line before a boundary."""
        line = self._line()
        if line is None:
            if len(self._buffer) > _HEAD_MOST:
                self._nothing_yet()
                self._buffer.clear()
            return False
        cut = line.rstrip()
        if self._ends is None:
            if cut.startswith(b"--") or (cut and cut == self._named):
                self._found_boundary(cut)
                self._begin()
            else:
                self._searched += len(line)
                if self._searched > _HEAD_MOST:
                    self._nothing_yet()
        elif cut == self._boundary:
            self._begin()
        elif cut and cut != self._boundary + b"--" and self._taken_by_length:
            # The part went on behind its length.
            self._lengths_hold = self._taken_by_length = False
        return True

    def _nothing_yet(self) -> None:
        if self._ends is None:
            raise NotAStreamError("no boundary")

    def _found_boundary(self, line: bytes) -> None:
        self._boundary = line
        # At the start of a line only: a picture may hold the same bytes.
        self._ends = re.compile(rb"(?:\A|\r?\n)" + re.escape(line) + rb"(?=--|[ \t]*\r?\n)")

    def _begin(self) -> None:
        self._state = _State.HEAD
        self._head, self._length, self._searched = [], None, 0
        self._has_headers = self._taken_by_length = False

    def _read_head(self) -> bool:
        if not self._has_headers and self._buffer.startswith(_CONTENT):
            self._state = _State.BODY
            return True
        line = self._line()
        if line is None:
            if len(self._buffer) > _HEAD_MOST:
                raise NotAStreamError("endless headers")
            return False
        cut = line.strip()
        self._searched += len(line)
        if self._searched > _HEAD_MOST:
            raise NotAStreamError("endless headers")
        if cut == self._boundary:
            self._begin()
        elif not cut:
            self._state, self._searched = _State.BODY, 0
        else:
            self._read_header(cut)
        return True

    def _read_header(self, line: bytes) -> None:
        self._has_headers = True
        name, _, value = line.partition(b":")
        match name.strip().lower():
            case b"content-length" if value.strip().isdigit() and len(value) < 20:
                self._length = int(value)
            case kept if kept in _KEPT and len(line) <= _HEADER_MOST:
                self._head.append(line)

    def _read_body(self, found: list[StreamPart]) -> bool:
        assert self._ends is not None
        end = self._ends.search(self._buffer, self._searched)
        if end is not None and end.start() <= self.most:
            if self._length is not None and abs(self._length - end.start()) > _LINE_ENDS:
                self._lengths_hold = False
            found.append(self._cut(end.start(), end.end() - len(self._boundary)))
            return True
        if self._length is not None and self._lengths_hold and self._is_by_length(self._length):
            found.append(self._cut(self._length, self._length))
            self._taken_by_length = True
            return True
        if len(self._buffer) > self.most:
            self.too_large += 1
            self._state = _State.SKIPPING
            return True
        self._searched = self._unsure()
        return False

    def _is_by_length(self, length: int) -> bool:
        """Whether a body that has come by its length is one, without waiting for what follows."""
        if not 0 < length <= min(len(self._buffer), self.most):
            return False
        behind = bytes(self._buffer[length : length + len(self._boundary) + 8]).strip()
        if behind and not self._boundary.startswith(behind[: len(self._boundary)]):
            self._lengths_hold = False
            return False
        return self._is_whole(self._type(), bytes(self._buffer[:length]))

    def _skip(self) -> bool:
        assert self._ends is not None
        end = self._ends.search(self._buffer, self._searched)
        if end is None:
            del self._buffer[: self._unsure()]
            self._searched = 0
            return False
        del self._buffer[: end.end() - len(self._boundary)]
        self._state = _State.BETWEEN
        return True

    def _unsure(self) -> int:
        """From where a boundary that has not come whole may begin."""
        return max(0, len(self._buffer) - len(self._boundary) - 200)

    def _cut(self, end: int, next_from: int) -> StreamPart:
        """Takes `end` bytes as a part; `next_from` is where the rest begins, 0 for behind them."""
        part = StreamPart(tuple(self._head), self._type(), bytes(self._buffer[:end]))
        del self._buffer[: next_from or end]
        self._state = _State.BETWEEN
        return part

    def _type(self) -> str:
        for line in self._head:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-type":
                return value.decode("latin-1").strip().lower()
        return ""

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            return None
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line
