"""Every answer that a test of the facade sees has to stand in its document, with its code."""

import re
from functools import cache
from typing import Any

from httpx2 import Response

from api.contract.sharing import inlined
from docs.contract import derived

_PREFIX = "/api/v1"


@cache
def _operations() -> list[tuple[re.Pattern[str], int, dict[str, Any]]]:
    """The operations of the document by what their paths look like, those with the most written out first."""
    found = []
    for path, methods in inlined(derived())["paths"].items():
        pieces = re.split(r"\{\w+\}", path)
        found.append((re.compile("[^/]+".join(map(re.escape, pieces))), sum(map(len, pieces)), methods))
    return sorted(found, key=lambda one: -one[1])


async def witness(answer: Response) -> None:
    """Fail where the document does not list the answer; what any path may answer is not listed at each."""
    path, method = answer.request.url.path, answer.request.method.lower()
    methods = next((found for regex, _, found in _operations() if regex.fullmatch(path)), {})
    operation = methods.get(method)
    if operation is None or answer.status_code in {405, 500}:
        return
    listed = operation["responses"].get(str(answer.status_code))
    assert listed is not None, f"{method} {path} answered {answer.status_code}, which the document does not list"
    if answer.headers.get("content-type") == "application/problem+json" and method != "head":
        await answer.aread()
        codes = _codes(listed["content"]["application/problem+json"]["schema"])
        assert answer.json()["code"] in codes, f"{method} {path} {answer.status_code}: {answer.json()['code']}"


def _codes(schema: dict[str, Any]) -> set[str]:
    named = schema.get("oneOf", [schema])
    found: set[str] = set()
    for part in named:
        code = derived_schemas()[part["$ref"].rpartition("/")[2]]["properties"]["code"]
        found |= {code["const"]} if "const" in code else set(code["enum"])
    return found


@cache
def derived_schemas() -> dict[str, Any]:
    """The schemas of the document."""
    schemas: dict[str, Any] = derived()["components"]["schemas"]
    return schemas


HOOKS: dict[str, list[Any]] = {"response": [witness]}
