"""What annotations tell of an expression: of what class it is, and what its attributes and answers are."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin


@dataclass(frozen=True)
class Instance:
    """Something of a class; `by` is the property that gave it."""

    of: type
    by: Callable[..., Any] | None = None


def instance_of(hint: Any) -> Instance | None:
    """What is annotated so; of a union the first class, for the others are hardly ever of ours."""
    while get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in {Union, UnionType}:
        return next((found for part in get_args(hint) if part is not type(None) and (found := instance_of(part))), None)
    hint = get_origin(hint) or hint
    return Instance(hint) if isinstance(hint, type) else None


def _hint(owner: Any, annotation: Any) -> Any:
    """An annotation, also one that is written as text; None where it names what is there for type checkers only."""
    if not isinstance(annotation, str):
        return annotation
    module = sys.modules.get(getattr(owner, "__module__", ""))
    try:
        return eval(annotation, vars(module) if module else {})  # noqa: S307 - our own source
    except NameError:
        return None


def type_of_parameter(function: Callable[..., Any], name: str) -> Instance | None:
    """What a parameter is; `self` is of the class that the function is written in."""
    if name == "self":
        return _owner(function)
    return instance_of(_hint(function, getattr(function, "__annotations__", {}).get(name)))


def _owner(function: Callable[..., Any]) -> Instance | None:
    found: Any = sys.modules.get(function.__module__)
    for part in function.__qualname__.split(".")[:-1]:
        found = getattr(found, part, None)
    return Instance(found) if isinstance(found, type) else None


def returned(called: Any) -> Instance | None:
    """What a function answers."""
    annotations = getattr(called, "__annotations__", {})
    return instance_of(_hint(called, annotations.get("return")))


def attribute_of(base: Any, name: str) -> Any:
    """What `base.name` is: an object, or an Instance."""
    if isinstance(base, ModuleType) or (isinstance(base, type) and not isinstance(base, Instance)):
        return getattr(base, name, None)
    if not isinstance(base, Instance):
        return None
    found = inspect.getattr_static(base.of, name, None)
    if isinstance(found, property) and found.fget is not None:
        known = returned(found.fget)
        return Instance(known.of if known else object, found.fget)
    if isinstance(found, classmethod | staticmethod):
        return found.__func__
    if inspect.isfunction(found):
        return found
    for parent in base.of.__mro__:
        if name in vars(parent).get("__annotations__", {}):
            return instance_of(_hint(parent, parent.__annotations__[name]))
    return set_at_birth(base.of).get(name)


@cache
def set_at_birth(owner: Any) -> dict[str, Any]:
    """The attributes that `__init__` sets from its parameters or makes of classes."""
    birth = vars(owner).get("__init__")
    if not inspect.isfunction(birth):
        return {}
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(birth)))
    except (OSError, SyntaxError):
        return {}
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Attribute(ast.Name("self"), name)], ast.Name(parameter)):
                found[name] = type_of_parameter(birth, parameter)
            case ast.Assign([ast.Attribute(ast.Name("self"), name)], ast.Call(ast.Name(made), _, _)):
                found[name] = instance_of(birth.__globals__.get(made))
    return found
