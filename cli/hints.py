"""Says in commands where a remedy is found; the API says it in routes."""

from typing import Any


def fault_in_words(fault: Any, body: Any) -> str:
    """A fault that the API found in a body, with the command that helps, if there is one."""
    command = _command(fault["code"], fault["field"].split("/"), body)
    return f"{fault['field']}: {fault['text']}" + (f"; look it up with `consignor {command}`" if command else "")


def added_in_words(added: Any) -> list[str]:
    """What came of putting something into the cart, and what was left out and why, a line each."""
    first, total = added["unadded"], added["unadded_total"]
    more = [f"left out: and {total - len(first):,} more"] if total > len(first) else []
    left = [f"left out: {one['key']}: {one['text']}" for one in first]
    return [f"{added['added']:,} added, {total:,} left out", *left, *more]


def _command(code: str, field: list[str], body: Any) -> str | None:
    match code, field:
        case "unknown_id", ["items", index, "objects", _]:
            return f"catalog objects {body['items'][int(index)]['product']}"
        case (("unknown_id" | "nothing_to_order"), ["items", *_]):
            return "catalog list"
        case "unknown_id", ["delivery", "destination"]:
            return "destination list"
        case _:
            return None
