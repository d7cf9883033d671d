"""Fuzzing of every decoder, by command: `make fuzz`. What it finds becomes a test of its own."""

CONTENT_TYPES = [
    None,
    "application/json",
    "application/xml",
    "text/xml; charset=gbk",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "multipart/mixed; boundary=b",
    "text/plain",
    "image/jpeg",
]
