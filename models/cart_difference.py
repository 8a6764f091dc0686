"""What has changed of a cart since its customer saw it."""

from collections.abc import Iterator, Mapping
from typing import Any

from models.errors import Fault
from models.labels import counted

Seen = Mapping[str, Any]


def differences(before: Seen | None, now: Seen) -> Iterator[Fault]:
    """Tell what a version of a cart, None where nobody knows it any more, has that is another now."""
    if before is None:
        yield _fault("version", "version_unknown", "this version of your cart is not known any more; look at it again")
        return
    was, are = before.get("selections", {}), now.get("selections", {})
    for number in was.keys() - are.keys():
        yield _fault(f"selections/{number}", "selection_removed", f"selection {number} is not in it any more")
    for number in are.keys() - was.keys():
        yield _fault(f"selections/{number}", "selection_added", f"selection {number} has come to it")
    had, has = before.get("products", {}), now.get("products", {})
    for sku in sorted(had.keys() | has.keys()):
        if sku not in has:
            yield _fault(sku, "product_removed", f"nothing of {sku} is in it any more")
        elif sku not in had:
            yield _fault(sku, "product_added", f"{_amount(has[sku])} of {sku} have come to it")
        else:
            yield from _of_product(sku, had[sku], has[sku])


def _of_product(sku: str, before: Seen, now: Seen) -> Iterator[Fault]:
    if now["gone"] != before["gone"]:
        text = f"{counted(now['gone'], 'object')} of {sku} cannot be had any more, where it was {before['gone']}"
        yield _fault(sku, "gone", text)
    if before.get("filter") != now.get("filter"):
        yield _fault(sku, "filter_changed", f"other files of {sku} are wanted")
    if (before.get("price"), before.get("currency")) != (now.get("price"), now.get("currency")):
        yield _fault(sku, "price_changed", f"{sku} has another price")
    if any(before.get(name, 0) != now.get(name, 0) for name in ("objects", "files", "bytes")):
        yield _fault(sku, "contents_changed", f"{_amount(now)} of {sku} are in it, where it was {_amount(before)}")


def _amount(seen: Seen) -> str:
    files = counted(seen.get("files", 0), "file")
    return f"{counted(seen['objects'], 'object')} with {files} and {counted(seen.get('bytes', 0), 'byte')}"


def _fault(field: str, code: str, text: str) -> Fault:
    return Fault(field=field, code=code, text=text)
