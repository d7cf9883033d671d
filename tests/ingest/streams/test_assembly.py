"""Events and the pictures that belong to them become one message that their adapter reads."""

import pytest

from devices.adapters import ADAPTERS
from devices.adapters.contract import MAX_PICTURES, Decoded, Incoming
from ingest.streams.assembly import Assembler, Message, is_picture
from ingest.streams.parts import StreamPart
from tests.support.compound import JPEG

XML_HEAD = (b'Content-Type: application/xml; charset="UTF-8"',)


def event(number: int, inner: str = "", kind: str = "ANPR") -> StreamPart:
    body = (
        "<EventNotificationAlert><macAddress>44:19:b6:00:11:22</macAddress>"
        f"<dateTime>2026-11-23T07:15:{number:02}+08:00</dateTime><eventType>{kind}</eventType>"
        f"<eventState>active</eventState><UUID>invented-{number:04}</UUID>{inner}"
        "<ANPR><licensePlate>云M12345</licensePlate><confidenceLevel>97</confidenceLevel></ANPR>"
        "</EventNotificationAlert>"
    )
    return StreamPart(XML_HEAD, "application/xml", b"\r\n" + body.encode() + b"\r\n")


def picture(name: str = "", kind: str = "image/pjpeg") -> StreamPart:
    head = [f"Content-Type: {kind}".encode()] if kind else []
    if name:
        head.append(f'Content-Disposition: form-data; name="{name}"'.encode())
    return StreamPart(tuple(head), kind, JPEG)


def decoded(message: Message, adapter: str = "hikvision") -> Decoded:
    return ADAPTERS[adapter].decode(Incoming("/x", message.body, message.content_type))


def test_pictures_go_with_the_event_before_them() -> None:
    assembler = Assembler(pictures=True)
    assert assembler.add(event(1)) == []
    assert assembler.add(picture("licensePlatePicture.jpg")) == []
    assert assembler.add(picture("detectionPicture.jpg", "application/octet-stream")) == []
    (first,) = assembler.add(event(2))
    (second,) = assembler.flush()
    (reading,) = decoded(first).readings
    assert (reading.record_id, [role for role, _ in reading.pictures]) == (
        "invented-0001",
        ["plate", "scene"],
    )
    assert [content for _, content in reading.pictures] == [JPEG, JPEG]
    (reading,) = decoded(second).readings
    assert (reading.record_id, reading.pictures) == ("invented-0002", ())
    assert assembler.held == 0


def test_promised_pictures_are_waited_for_and_no_longer() -> None:
    assembler = Assembler(pictures=True)
    assembler.add(event(1, "<picNum>2</picNum>"))
    assert assembler.add(picture()) == []
    assert assembler.promised
    (message,) = assembler.add(picture())
    assert len(decoded(message).readings[0].pictures) == 2
    (alone,) = assembler.add(event(2, "<picNum>0</picNum>"))
    assert decoded(alone).readings[0].record_id == "invented-0002"


def test_json_event_says_it_in_json() -> None:
    assembler = Assembler(pictures=True)
    body = b'{"eventType":"AccessControllerEvent","AccessControllerEvent":{"picturesNumber": 1}}'
    assembler.add(StreamPart((), "", body))
    (message,) = assembler.add(picture())
    assert JPEG in message.body


def test_what_is_told_twice_is_the_same_bytes_twice() -> None:
    messages = []
    for _ in range(2):
        assembler = Assembler(pictures=True)
        assembler.add(event(1))
        assembler.add(picture())
        messages += assembler.flush()
    assert messages[0] == messages[1]


def test_picture_of_no_event_is_counted_and_left() -> None:
    assembler = Assembler(pictures=True)
    assert assembler.add(picture()) == []
    assembler.add(event(1))
    for _ in range(MAX_PICTURES + 2):
        assembler.add(picture())
    (message,) = assembler.flush()
    assert len(decoded(message).readings[0].pictures) == MAX_PICTURES
    assert assembler.lost == 3


def test_stream_without_pictures_holds_nothing_back() -> None:
    assembler = Assembler(pictures=False)
    text = b"Code=VideoBlind;action=Start;index=0\r\n"
    (message,) = assembler.add(StreamPart((b"Content-Type: text/plain",), "text/plain", text))
    assert [reading.type for reading in decoded(message, "dahua").readings] == ["video.occlusion"]
    assert assembler.add(StreamPart((), "text/plain", b" \r\n")) == []


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("image/jpeg", b"anything", True),
        ("application/octet-stream", b"\x00\x01", True),
        ("", JPEG, True),
        ("application/octet-stream", b"<a/>", False),
        ("", b"\xef\xbb\xbf{}", False),
        ("text/plain", b"Heartbeat", False),
        ("", b"Code=X;action=Pulse;index=0", False),
    ],
)
def test_pictures_are_known_by_type_or_bytes(kind: str, content: bytes, expected: bool) -> None:
    assert is_picture(StreamPart((), kind, content)) is expected
