import pytest

from devices.adapters.canonical import MAX_DEPTH
from devices.adapters.contract import MAX_BYTES, RefusedError
from devices.adapters.xml_documents import read_xml

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<EventNotificationAlert><eventType>&c;</eventType></EventNotificationAlert>"""


def refusal(body: bytes) -> RefusedError:
    with pytest.raises(RefusedError) as refused:
        read_xml(body)
    return refused.value


@pytest.mark.parametrize(
    "opening",
    [
        '<a xmlns="http://www.hikvision.com/ver20/XMLSchema" version="2.0">',
        '<a xmlns="http://www.isapi.org/ver20/XMLSchema">',
        "<a>",
        '<x:a xmlns:x="http://www.hikvision.com/ver10/XMLSchema">',
        "<x:a>",
    ],
)
def test_namespaces_and_prefixes_make_no_difference(opening: str) -> None:
    prefix = "x:" if "x:a" in opening else ""
    body = f"{opening}<{prefix}b> 1 </{prefix}b></{prefix}a>"
    assert read_xml(body.encode()) == ("a", {"b": "1"})


def test_elements_become_fields_and_repeated_ones_a_list() -> None:
    body = b"<a><n>1</n><e><x>1</x></e><e><x>2</x></e><e/><empty></empty></a>"
    assert read_xml(body) == ("a", {"n": "1", "e": [{"x": "1"}, {"x": "2"}, ""], "empty": ""})


def test_a_bomb_of_entities_is_refused_before_it_is_lit() -> None:
    assert refusal(BOMB).reason == "malformed_xml"


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a SYSTEM "file:///etc/hostname"><a><b>1</b></a>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a><b>&x;</b></a>',
        '<!DOCTYPE a [<!ENTITY x "1">]><a><b>&x;</b></a>'.encode("utf-16"),
        b"<!doctype a><a><b>1</b></a>",
        b"<a><b>&undeclared;</b></a>",
    ],
)
def test_document_types_and_entities_are_refused_in_any_encoding(body: bytes) -> None:
    assert refusal(body).reason == "malformed_xml"


@pytest.mark.parametrize("encoding", ["gbk", "gb2312", "UTF-8"])
def test_chinese_is_read_as_it_was_declared_or_as_it_was_written(encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?><a><b>东门</b></a>'
    assert read_xml(body.encode(encoding)) == ("a", {"b": "东门"})
    # Declared UTF-8, written GBK.
    assert read_xml(body.replace(encoding, "UTF-8").encode("gbk")) == ("a", {"b": "东门"})


def test_a_byte_order_mark_and_a_buffers_end_do_not_matter() -> None:
    assert read_xml(b"\xef\xbb\xbf <a><b>1</b></a>\r\n\0\0") == ("a", {"b": "1"})
    assert read_xml("<a><b>1</b></a>".encode("utf-16")) == ("a", {"b": "1"})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "malformed_xml"),
        (b"<a>", "malformed_xml"),
        (b"<a></b>", "malformed_xml"),
        (b"<a/><a/>", "malformed_xml"),
        (b"{}", "malformed_xml"),
        (b"<a>text</a>", "not_an_object"),
        (b"<a>" * (MAX_DEPTH + 2) + b"</a>" * (MAX_DEPTH + 2), "malformed_xml"),
        (b"<a>" * 100_000, "malformed_xml"),
        (b" " * (MAX_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_document_says_so(body: bytes, reason: str) -> None:
    assert refusal(body).reason == reason
