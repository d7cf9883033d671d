import pytest

from devices.adapters.contract import MAX_BYTES, RefusedError
from devices.adapters.forms import is_form, read_form, read_push

PARTS = (
    b'--b7\r\nContent-Disposition: form-data; name="sn"\r\n\r\nA1\r\n'
    b'--b7\r\nContent-Disposition: form-data; name="pic"; filename="a.jpg"\r\n\r\n\xff\xd8\r\n'
    b"--b7--\r\n"
)


def refusal(body: bytes, content_type: str | None) -> str:
    with pytest.raises(RefusedError) as refused:
        read_form(body, content_type)
    return refused.value.reason


def test_pairs_are_read_with_blanks_and_the_last_of_one_name_counts() -> None:
    assert read_form(b"a=1&b=&a=2&c=%E4%BA%91", None) == {"a": "2", "b": "", "c": "云"}


def test_parts_are_read_and_files_left_out_with_and_without_a_named_boundary() -> None:
    assert read_form(PARTS, "multipart/form-data; boundary=b7") == {"sn": "A1"}
    assert read_form(PARTS, None) == {"sn": "A1"}


def test_old_firmware_writes_gbk() -> None:
    assert read_form("name=东门".encode("gbk"), None) == {"name": "东门"}


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"", "application/x-www-form-urlencoded", "malformed_form"),
        (b"nothing", "application/x-www-form-urlencoded", "malformed_form"),
        (b"&".join([b"a=1"] * 300), None, "malformed_form"),
        (b"--b7\r\n", "multipart/form-data; boundary=b7", "malformed_multipart"),
        (b"x", "multipart/form-data", "malformed_multipart"),
        (b"--", None, "malformed_multipart"),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, content_type: str | None, reason: str) -> None:
    assert refusal(body, content_type) == reason


def test_a_form_that_is_too_large_is_refused() -> None:
    assert refusal(b"a" * (MAX_BYTES + 1), None) == "too_large"


def test_json_is_told_from_a_form_by_header_and_by_look() -> None:
    assert is_form(b"a=1", None)
    assert is_form(PARTS, None)
    assert not is_form(b'{"a": "b=c"}', None)
    assert not is_form(b"a=1", "application/json")
    assert read_push(b'{"a": 1}', "application/x-www-form-urlencoded") == {"a": 1}
    assert read_push(b"a=1", "application/x-www-form-urlencoded") == {"a": "1"}
