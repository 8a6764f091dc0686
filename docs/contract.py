"""`python -m docs.contract`, or `make openapi`: writes openapi.json anew and refuses to break the contract unawares."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from api.app import create_app
from api.contract.sharing import inlined

DOCUMENT = Path(__file__).parent / "openapi.json"
CHANGELOG = Path(__file__).parent.parent / "CHANGELOG.md"
_SCHEMAS = "#/components/schemas/"
_SAID = re.compile(r"^[-*] \*\*Breaking\*\*:.*", re.MULTILINE)

Json = dict[str, Any]


class Change(NamedTuple):
    """A difference between two documents; a breaking one stops clients that were right before."""

    where: str
    what: str
    breaking: bool = False

    def __str__(self) -> str:
        return f"{'BREAKS ' if self.breaking else ''}{self.where}: {self.what}"


def derived() -> Json:
    """The document as the code has it."""

    def nothing() -> Any:
        raise NotImplementedError("the document needs no services")

    return create_app(nothing).openapi()


def as_text(document: Json) -> str:
    """As it is committed."""
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def changes(before: Json, after: Json) -> Iterator[Change]:
    """What clients could notice of a new document."""
    before, after = inlined(before), inlined(after)
    old, new = dict(_operations(before)), dict(_operations(after))
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield Change(name, "is gone", breaking=True)
        elif name not in old:
            yield Change(name, "is new")
        else:
            yield from _Comparison(before, after, name).operation(old[name], new[name])


def _operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


class _Comparison:
    """Two documents, and the operation that is being compared."""

    def __init__(self, before: Json, after: Json, where: str) -> None:
        self._before, self._after, self._where = before, after, where
        self._seen: set[tuple[str, str, bool]] = set()

    def operation(self, old: Json, new: Json) -> Iterator[Change]:
        """What has changed about it."""
        yield from self._parameters(old, new)
        body, there = _body(old), _body(new)
        if there is not None and body is None:
            yield self._changed("takes a body now", breaking=new["requestBody"].get("required", False))
        if body is not None and there is not None:
            yield from self._schema("body", body, there, request=True)
        for status in sorted(old["responses"].keys() - new["responses"].keys()):
            yield self._changed(f"answers {status} no more", breaking=status.startswith("2"))
        for status in sorted(new["responses"].keys() - old["responses"].keys()):
            yield self._changed(f"answers {status} now")
        for status in sorted(old["responses"].keys() & new["responses"].keys()):
            for kind, content in old["responses"][status].get("content", {}).items():
                found = new["responses"][status].get("content", {}).get(kind)
                if found is None:
                    yield self._changed(f"{status} is no {kind} any more", breaking=True)
                elif status.startswith("2"):
                    yield from self._schema(status, content.get("schema", {}), found.get("schema", {}), request=False)

    def _parameters(self, old: Json, new: Json) -> Iterator[Change]:
        before, after = _parameters(old), _parameters(new)
        for name in sorted(before.keys() - after.keys()):
            yield self._changed(f"takes {name} no more", breaking=True)
        for name in sorted(after.keys() - before.keys()):
            yield self._changed(f"takes {name} now", breaking=after[name].get("required", False))
        for name in sorted(before.keys() & after.keys()):
            yield from self._schema(name, before[name]["schema"], after[name]["schema"], request=True)

    def _schema(self, name: str, old: Json, new: Json, *, request: bool) -> Iterator[Change]:
        key = (old.get("$ref", ""), new.get("$ref", ""), request)
        if any(key[:2]) and key in self._seen:
            return
        self._seen.add(key)
        old, new = _resolved(old, self._before), _resolved(new, self._after)
        if (was := _kinds(old)) != (now := _kinds(new)):
            taken, given = (was, now) if request else (now, was)
            narrower = "anything" not in given and not taken <= given
            yield self._changed(f"{name} was {_list(was)} and is {_list(now)}", breaking=narrower)
        if (lost := _words(old) - _words(new)) and request:
            yield self._changed(f"{name} takes {_list(lost)} no more", breaking=True)
        yield from self._members(name, old, new, request=request)
        if "items" in old and "items" in new:
            yield from self._schema(f"{name}[]", old["items"], new["items"], request=request)

    def _members(self, name: str, old: Json, new: Json, *, request: bool) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for member in sorted(before.keys() - after.keys()):
            yield self._changed(f"{name} has no {member} any more", breaking=True)
        needed = set(new.get("required", ())) - set(old.get("required", ()))
        for member in sorted(after.keys() - before.keys()):
            yield self._changed(f"{name} has {member} now", breaking=request and member in needed)
        for member in sorted(before.keys() & after.keys()):
            if request and member in needed:
                yield self._changed(f"{name} needs {member} now", breaking=True)
            yield from self._schema(f"{name}.{member}", before[member], after[member], request=request)

    def _changed(self, what: str, *, breaking: bool = False) -> Change:
        return Change(self._where, what, breaking)


def _parameters(operation: Json) -> dict[str, Json]:
    return {f"{found['in']} {found['name']}": found for found in operation.get("parameters", ())}


def _body(operation: Json) -> Json | None:
    content = operation.get("requestBody", {}).get("content", {})
    return next((found["schema"] for found in content.values()), None)


def _resolved(schema: Json, document: Json) -> Json:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].removeprefix(_SCHEMAS)]
    return schema


def _kinds(schema: Json) -> set[str]:
    """The types that a schema allows; of one that is named elsewhere its name."""
    if several := schema.get("anyOf", schema.get("oneOf")):
        return {kind for part in several for kind in _kinds(part)}
    return {schema["$ref"]} if "$ref" in schema else {str(schema.get("type", "anything"))}


def _words(schema: Json) -> set[str]:
    return {str(word) for word in schema.get("enum", [schema["const"]] if "const" in schema else ())}


def _list(words: set[str]) -> str:
    return " or ".join(sorted(word.removeprefix(_SCHEMAS) for word in words)) or "nothing"


def main() -> int:
    """Write the document anew, unless that breaks the contract and the changelog does not say so."""
    after = derived()
    before = json.loads(DOCUMENT.read_text(encoding="utf-8")) if DOCUMENT.exists() else after
    found = list(changes(before, after))
    for change in found:
        sys.stdout.write(f"{change}\n")
    unreleased = CHANGELOG.read_text(encoding="utf-8").partition("## [Unreleased]")[2].partition("\n## [")[0]
    if any(change.breaking for change in found) and not _SAID.search(unreleased):
        sys.stderr.write("This breaks clients. Say so in CHANGELOG.md under Unreleased: `- **Breaking**: …`\n")
        return 1
    DOCUMENT.write_text(as_text(after), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
