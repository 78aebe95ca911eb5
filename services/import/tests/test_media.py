"""Which addresses media may hold."""

from typing import Any

import pytest
from import_service.domain.media import media_faults


@pytest.mark.parametrize(
    "media",
    [
        [],
        ["https://example.com/cell.png", "HTTPS://example.com:8443/a?b=c#d"],
        [{"file_id": "0198f0c2-1111-7000-8000-000000000001", "alt": "a: b"}],
        [{"url": "figures/cell.png", "width": 300, "title": "javascript: a language", "credit": None}],
        [{"type": "image", "sources": [{"src": "https://example.com/ü.png"}]}],
    ],
)
def test_https_and_files_are_taken(media: list[Any]) -> None:
    assert media_faults(media) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/a.png",
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "blob:https://example.com/1",
        "file:///etc/passwd",
        "//example.com/a.png",
        "/\\example.com/a.png",
        "\\\\example.com\\a.png",
        "https:/example.com",
        "https:example.com",
        "https://",
        "https://user:password@example.com/a.png",
        "",
        " ",
        "https:///a",
        "https://exam ple.com",
        "ftp://example.com/a",
    ],
)
def test_everything_else_is_refused_with_a_sentence(address: str) -> None:
    for item in (address, {"url": address}, {"alt": {"href": ["a.png", address]}}):
        (fault,) = media_faults(["https://example.com", item])
        assert fault.place == ("media", 1)
        assert fault.message.endswith("use an address that begins with https://.")
