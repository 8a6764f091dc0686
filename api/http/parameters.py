"""Query parameters: a route takes those it declares, each as often as declared; all others are refused, not ignored."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from api.matched_route import matched_route

MAX_FAULTS = 100


async def reject_unknown_query_parameters(request: Request) -> None:
    """Refuse parameters that the route does not declare, or takes once, by their name."""
    if not request.url.query:
        return
    context: Any = matched_route(request.scope)
    known = dict(_known(context.dependant))
    faults = [
        _fault(name, "unknown_parameter", f"there is no such parameter; there are {', '.join(known) or 'none'}")
        if name not in known
        else _fault(name, "given_twice", "this may be given once; leave all but one out")
        for name, count in Counter(name for name, _ in request.query_params.multi_items()).items()
        if name not in known or (count > 1 and not known[name])
    ]
    if faults:
        raise RequestValidationError(faults[:MAX_FAULTS])


def _fault(name: str, code: str, text: str) -> dict[str, Any]:
    return {"loc": ("query", name[:100]), "type": code, "msg": text}


def _known(dependant: Any) -> Iterator[tuple[str, bool]]:
    """The parameters of a route by name, and whether there may be several of each."""
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, info in kind.model_fields.items():
                yield info.alias or name, _is_list(info.annotation)
            for synonym, name in getattr(kind, "SYNONYMS", {}).items():
                yield synonym, _is_list(kind.model_fields[name].annotation)
        else:
            yield field.alias, _is_list(kind)
    for inner in dependant.dependencies:
        yield from _known(inner)


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(get_origin(part) is list for part in get_args(annotation))
