"""What schemathesis cannot know of the data: ids that exist. Half of its good requests are given some.

`CONSIGNOR_FUZZ_IDS` holds them: the values of path parameters by name, and of fields of bodies as `body.…`.
"""

import ast
import json
import os
from hashlib import sha256
from threading import RLock
from typing import Any

import schemathesis
from schemathesis import Case, HookContext

KNOWN: dict[str, list[Any]] = json.loads(os.environ.get("CONSIGNOR_FUZZ_IDS", "{}"))

# Hypothesis parses the source of lambdas, in every worker of schemathesis. In CPython 3.11 the threads share one count
# of how deep they are, and now and then that ends in "SystemError: AST constructor recursion depth mismatch".
_parse: Any = ast.parse
_alone = RLock()


def _parsed_alone(*args: Any, **kwargs: Any) -> Any:
    with _alone:
        return _parse(*args, **kwargs)


vars(ast)["parse"] = _parsed_alone


def readable(text: str) -> str:
    """No pattern says which characters can be read."""
    return "".join(filter(str.isprintable, text)).strip() or "x"


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Have good requests be about something that is there, and leave bad ones as they are."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    # Cursors are sealed, so that one that is made up is refused, however well it looks.
    if case.query:
        case.query.pop("cursor", None)
    chance = sha256(case.id.encode()).digest()
    for number, name in enumerate(sorted(case.path_parameters or {})):
        if name in KNOWN and chance[number] % 2:
            case.path_parameters[name] = KNOWN[name][chance[number + 10] % len(KNOWN[name])]
    # A key that another request has used before is refused, as it should be.
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = f"{case.id}{case.headers['Idempotency-Key']}"[:200]
    body: Any = case.body
    if not isinstance(body, dict):
        return
    for name in ("name", "reason", "label", "text"):
        if isinstance(body.get(name), str):
            body[name] = readable(body[name])
    if isinstance(body.get("tags"), list):
        body["tags"] = [readable(tag) for tag in body["tags"]]
    if chance[9] % 2:
        for line in body.get("items") or []:
            if isinstance(line, dict) and "product" in line:
                line.update(product=KNOWN["sku"][0], objects="all")
