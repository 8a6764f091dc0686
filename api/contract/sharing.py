"""What many operations have in common stands once in the document: headers, parameters and answers are referred to.

Written out, the same refusals with the same headers would be nine tenths of it.
"""

import json
from typing import Any

Json = dict[str, Any]

_PROBLEM = "application/problem+json"


def share(made: Json) -> None:
    """Move to `components` what could be the same elsewhere. Changes the document in place."""
    headers, parameters = _Shared("headers"), _Shared("parameters")
    answers = _Shared("responses")
    for operation in operations(made):
        if "parameters" in operation:
            found = operation["parameters"]
            operation["parameters"] = [_shared_parameter(parameters, one) for one in found]
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values():
                _share_example(made, content)
            answer["headers"] = {name: headers.refer(name, header) for name, header in answer["headers"].items()}
            if _PROBLEM in answer.get("content", {}):
                operation["responses"][status] = answers.refer(_name_of(answer), answer)
    for shared in (headers, parameters, answers):
        made["components"][shared.kind] = dict(sorted(shared.components.items()))


def inlined(made: Json) -> Json:
    """The document with every answer, header and parameter where it belongs, for who compares operations."""
    whole: Json = json.loads(json.dumps(made))

    def resolved(found: Json) -> Json:
        if "$ref" not in found:
            return found
        kind, name = found["$ref"].removeprefix("#/components/").split("/")
        referred: Json = whole["components"][kind][name]
        return json.loads(json.dumps(referred))  # type: ignore[no-any-return]

    for operation in operations(whole):
        if "parameters" in operation:
            operation["parameters"] = [resolved(one) for one in operation["parameters"]]
        for status, answer in operation["responses"].items():
            operation["responses"][status] = there = resolved(answer)
            there["headers"] = {name: resolved(header) for name, header in there.get("headers", {}).items()}
    return whole


def operations(made: Json) -> list[Json]:
    """All operations of a document."""
    return [operation for methods in made["paths"].values() for operation in methods.values()]


class _Shared:
    """The components of one kind, each once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.components: dict[str, Json] = {}
        self._names: dict[str, str] = {}

    def refer(self, name: str, content: Json) -> Json:
        """A reference to this content, under this name or, where others have that, one made of it."""
        written = json.dumps(content, sort_keys=True)
        if written not in self._names:
            others = sum(known == name or known.startswith(f"{name}-") for known in self.components)
            self._names[written] = f"{name}-{others + 1}" if others else name
            self.components[self._names[written]] = content
        return {"$ref": f"#/components/{self.kind}/{self._names[written]}"}


def _shared_parameter(parameters: _Shared, one: Json) -> Json:
    return parameters.refer(f"{one['in']}-{one['name']}", one)


def _share_example(made: Json, content: Json) -> None:
    """Have all that answer the same schema show the same example."""
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if name and "example" in content:
        made["components"]["examples"].setdefault(name, {"value": content["example"]})
        if made["components"]["examples"][name]["value"] == content["example"]:
            del content["example"]
            content["examples"] = {name: {"$ref": f"#/components/examples/{name}"}}


def _name_of(answer: Json) -> str:
    """The codes it may have, as one word."""
    codes = sorted(answer["content"][_PROBLEM]["examples"])
    return "Or".join("".join(word.title() for word in code.split("_")) for code in codes)
