"""Names of others are shown by Markdown as they are, and make neither links nor pictures nor emphasis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from models.markdown import plain
from models.text import shown

RENDERER = MarkdownIt("gfm-like", {"linkify": False})


def drawn(text: str) -> str:
    """What is read of a line of Markdown; fails where it is anything but text."""
    (inline,) = (token for token in RENDERER.parse(f"part {text}") if token.type == "inline")
    children = inline.children or []
    assert {child.type for child in children} <= {"text", "text_special"}, [child.type for child in children]
    return "".join(child.content for child in children)


@pytest.mark.parametrize(
    "name",
    [
        "![](https://evil.example/seen.png)",
        "[sign in again](https://evil.example)",
        "<img src=x onerror=alert(1)>",
        "<https://evil.example>",
        "**CO-2026-000001** is **fulfilled**",
        "_a_ ~~b~~ `c` &lt;d&gt; \\*",
        "__init__.py",
        "a_b_c.tif",
        "Sentinel-2 L2A (10 m) #1!",
    ],
)
def test_a_name_is_shown_as_it_is(name: str) -> None:
    assert drawn(plain(name)) == f"part {name}"


@pytest.mark.parametrize("address", ["https://evil.example", "www.evil.example", "WWW.evil.example", "a@evil.example"])
def test_an_address_becomes_no_link_by_itself(address: str) -> None:
    assert address not in plain(address)
    assert drawn(plain(address)) == f"part {address}"


def test_a_name_of_several_lines_stays_on_its_line() -> None:
    assert drawn(plain("a\n\n# b\x1b[31m")) == r"part a\n\n# b\x1b[31m"


@given(st.text())
def test_whatever_a_name_holds_it_is_text(name: str) -> None:
    assert drawn(f"{plain(name)}.") == f"part {shown(name)}."
