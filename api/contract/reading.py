"""What the code behind a route says: the refusals it can raise, the headers it names, whether it asks the database.

A function whose docstring says what it `Raises` is believed; of others the source is read, as far as annotations tell
what is called. What neither shows, the tests of the facade do: an answer that the document does not list fails them.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, reduce
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from api.contract.annotations import Instance, attribute_of, instance_of, returned, type_of_parameter
from api.problems import problem
from models import errors

OURS = ("api.", "services.", "models.", "storage.", "temporal.commands", "temporal.start", "temporal.outbox")
_REFUSALS: Mapping[str, type[errors.DomainError]] = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.DomainError)
}

Source = ast.FunctionDef | ast.AsyncFunctionDef
Raised = frozenset[type[errors.DomainError]]


@dataclass(frozen=True)
class Said:
    """What a piece of code says; `problems` are those it answers without raising, as status and code."""

    raised: Raised = frozenset()
    problems: frozenset[tuple[int, str]] = frozenset()
    words: frozenset[str] = frozenset()
    asks_database: bool = False
    reads_body: bool = False

    def __or__(self, other: "Said") -> "Said":
        return Said(
            self.raised | other.raised,
            self.problems | other.problems,
            self.words | other.words,
            self.asks_database or other.asks_database,
            self.reads_body or other.reads_body,
        )

    def without(self, caught: tuple[type[BaseException], ...]) -> "Said":
        """The same, but for refusals that are caught."""
        left = frozenset(error for error in self.raised if not issubclass(error, caught))
        return replace(self, raised=left)


def together(parts: Iterable[Said]) -> Said:
    """What several pieces of code say."""
    return reduce(Said.__or__, parts, Said())


_read: dict[Callable[..., Any], Said] = {}


def said_by(function: Callable[..., Any]) -> Said:
    """What a function says, and all that it calls."""
    function = inspect.unwrap(function)
    if function not in _read:
        _read[function] = Said()  # ends a recursion
        _read[function] = _Reading(function).result()
    return _read[function]


@cache
def _functions_of(module: str) -> Mapping[int, Source]:
    """The functions of a module by the line they begin at, the first decorator's included."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    found = (node for node in ast.walk(tree) if isinstance(node, Source))
    return {min([node.lineno, *(mark.lineno for mark in node.decorator_list)]): node for node in found}


def _source(function: Callable[..., Any]) -> Source | None:
    code = getattr(function, "__code__", None)
    return _functions_of(function.__module__).get(code.co_firstlineno) if code is not None else None


class _Reading:
    """Reads one function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._globals = getattr(function, "__globals__", {})
        self._locals: dict[str, Any] = {}

    def result(self) -> Said:
        source = _source(self._function)
        if source is None:
            return Said()
        self._note_names(source)
        said = together(map(self._of, source.body))
        declared = _declared(self._function.__doc__)
        return said if declared is None else replace(said, raised=declared)

    def _note_names(self, source: Source) -> None:
        """What the parameters and local names of the function are, as far as annotations tell."""
        every = [*source.args.posonlyargs, *source.args.args, *source.args.kwonlyargs]
        for parameter in every:
            self._locals[parameter.arg] = type_of_parameter(self._function, parameter.arg)
        for node in sorted(_assignments(source), key=lambda node: node.lineno):
            for target, value in _pairs(node):
                if isinstance(target, ast.Name) and (known := self._resolved(value)) is not None:
                    self._locals[target.id] = known

    def _resolved(self, node: ast.expr) -> Any:
        """What an expression is: an object, an Instance of a class, or None where nobody can tell."""
        match node:
            case ast.Name(name):
                return self._locals[name] if name in self._locals else self._globals.get(name)
            case ast.Attribute(value, name):
                base = self._resolved(value)
                return attribute_of(base, name) if base is not None else None
            case ast.Await(value):
                return self._resolved(value)
            case ast.IfExp(_, body, orelse):
                return self._resolved(body) or self._resolved(orelse)
            case ast.Call(function, _, _):
                called = self._resolved(function)
                return instance_of(called) if isinstance(called, type) else returned(called)
        return None

    def _of(self, node: ast.AST) -> Said:
        match node:
            case ast.Try():
                return self._of_try(node)
            case ast.Call(ast.Name("isinstance"), _, _):
                return Said()
            case ast.Call():
                return self._of_call(node) | self._of_children(node)
            case ast.Name():
                return _of_object(self._resolved(node))
            case ast.Attribute(value, name):
                known = Said(asks_database=name == "sessions") | _of_object(self._resolved(node))
                return known if isinstance(value, ast.Name) else known | self._of(value)
            case ast.Constant(str(text)) if self._function.__module__.startswith("api."):
                return Said(words=frozenset({text}))
            case ast.AnnAssign(_, _, value):
                return self._of(value) if value is not None else Said()
            case ast.arguments() | ast.ExceptHandler(type=None):
                return Said()
        return self._of_children(node)

    def _of_children(self, node: ast.AST) -> Said:
        return together(map(self._of, ast.iter_child_nodes(node)))

    def _of_try(self, node: ast.Try) -> Said:
        said = together(map(self._of, node.body))
        for handler in node.handlers:
            # What is raised again has not been caught.
            again = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(handler))
            if handler.type is not None and not again:
                said = said.without(tuple(self._caught(handler.type)))
            said |= together(map(self._of, handler.body))
        return said | together(map(self._of, [*node.orelse, *node.finalbody]))

    def _caught(self, node: ast.expr) -> Iterator[type[BaseException]]:
        for part in node.elts if isinstance(node, ast.Tuple) else [node]:
            found = self._resolved(part)
            if isinstance(found, type) and issubclass(found, BaseException):
                yield found

    def _of_call(self, node: ast.Call) -> Said:
        """Problems that are answered by name, and errors of HTTP itself."""
        called = self._resolved(node.func)
        match node.args:
            case [ast.Constant(int(status)), ast.Constant(str(code)), *_] if called is problem:
                return Said(problems=frozenset({(status, code)}))
            case [] if called is Request.body:
                return Said(reads_body=True)
            case [ast.Constant(int(status)), *_] if called is HTTPException and status == 404:
                return Said(problems=frozenset({(status, "not_found")}))
        return Said()


def _of_object(known: Any) -> Said:
    """What it means that an object is mentioned: an error may be raised, a function called."""
    if isinstance(known, type) and issubclass(known, errors.DomainError):
        return Said(raised=frozenset({known}))
    if isinstance(known, Instance) and known.by is not None:
        return said_by(known.by)
    module = getattr(known, "__module__", None) or ""
    if inspect.isfunction(inspect.unwrap(known) if callable(known) else known) and module.startswith(OURS):
        return said_by(known)
    return Said()


def _declared(docstring: str | None) -> Raised | None:
    """The refusals that a docstring declares; None where it declares nothing."""
    head, found, told = (docstring or "").partition("Raise")
    if not found or (head and not head[-1].isspace()):
        return None
    words = told.replace(",", " ").replace(".", " ").replace(";", " ").split()
    # One that names none of ours says nothing about them.
    return frozenset(_REFUSALS[word] for word in words if word in _REFUSALS) or None


def _assignments(source: Source) -> Iterator[Any]:
    kinds = ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.With | ast.AsyncWith
    return (node for node in ast.walk(source) if isinstance(node, kinds))


def _pairs(node: Any) -> Iterator[tuple[ast.expr, ast.expr]]:
    match node:
        case ast.Assign([ast.Tuple(targets)], ast.Tuple(values)) if len(targets) == len(values):
            yield from zip(targets, values, strict=True)
        case ast.Assign([target], value) | ast.NamedExpr(target, value):
            yield target, value
        case ast.AnnAssign(target, _, value) if value is not None:
            yield target, value
