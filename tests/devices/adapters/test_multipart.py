import pytest

from devices.adapters.contract import RefusedError
from devices.adapters.multipart import MAX_PARTS, is_multipart, parts
from tests.support.compound import JPEG

DOCUMENT = b'--B\r\nContent-Disposition: form-data; name="event_log"\r\nContent-Type: application/json\r\n\r\n{"a":1}\r\n'


def picture(content: bytes = JPEG, name: str = "Picture") -> bytes:
    head = f'--B\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    return head.encode() + content + b"\r\n"


def test_a_picture_comes_out_byte_for_byte() -> None:
    binary = JPEG[:4] + bytes(range(256)) + b"\r\n\r\n--not a boundary\r\n" + JPEG[-2:]
    found = parts(DOCUMENT + picture(binary) + b"--B--\r\n", "multipart/form-data; boundary=B")
    assert [part.content for part in found] == [b'{"a":1}', binary]
    assert [part.name for part in found] == ["event_log", "picture picture.jpg"]
    assert found[1].content_type == "image/jpeg"


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=B",
        'multipart/mixed; boundary="B"',
        "multipart/form-data; boundary=another",
        "multipart/x-mixed-replace",
        None,
    ],
)
def test_the_boundary_is_found_where_the_header_says_another_or_nothing(content_type: str | None) -> None:
    body = DOCUMENT + picture() + b"--B--"
    assert is_multipart(body, content_type)
    assert [part.content for part in parts(body, content_type)] == [b'{"a":1}', JPEG]


def test_a_boundary_said_with_its_dashes_is_the_same_boundary() -> None:
    body = DOCUMENT + b"--B--"
    assert parts(b"\r\n" + body, "multipart/mixed; boundary=--B")[0].content == b'{"a":1}'


def test_a_stream_that_was_cut_off_keeps_its_last_part() -> None:
    cut = DOCUMENT + picture()[:-10]
    assert len(parts(cut, "multipart/form-data; boundary=B")) == 2


def test_bare_line_feeds_and_parts_without_headers_are_read() -> None:
    body = b"--B\nContent-Type: application/xml\n\n<a><b>1</b></a>\n--B\n<c><d>2</d></c>\n--B--\n"
    assert [part.content for part in parts(body, None)] == [b"<a><b>1</b></a>", b"<c><d>2</d></c>"]


def test_the_name_may_stand_in_the_content_id() -> None:
    body = b"--B\r\nContent-ID: <FacePic_1>\r\nContent-Type: image/jpeg\r\n\r\n" + JPEG + b"\r\n--B--"
    assert parts(body, None)[0].name == "facepic_1"


@pytest.mark.parametrize(
    "body", [b"", b"--B", b"--B\r\n\r\n--B--", b"no boundary at all", (DOCUMENT * (MAX_PARTS + 1))]
)
def test_what_has_no_parts_or_too_many_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        parts(body, "multipart/form-data; boundary=B")
    assert refused.value.reason == "malformed_multipart"
