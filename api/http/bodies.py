"""Bodies of requests: who may send them, how large they may be, and JSON that can be read in one way only.

Nothing of a body is read before its sender is known, and a large one is parsed away from the event loop.

Python's parser takes what RFC 8259 leaves open or forbids (a member twice, NaN, half a character), and frameworks build
on it. Here all of that is refused before a route sees it, every fault at once, each with its place and its remedy.
"""

import json
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import cache
from typing import Any, NoReturn

from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.methods import SAFE_METHODS
from api.matched_route import matched_route
from api.problems import RefusedBeforeBody, RequestRefused
from models.errors import Fault, Refusal
from models.tasks import computed

MAX_BODY_BYTES = 256 * 1024
"""Room for any body that lists nothing at length; more is refused before it is read."""

MAX_LIST_BYTES = 16 * 1024**2
"""Room for the 100,000 names that one order may list."""

LONG_LIST = 1_000
"""A body whose description lets a list have more items than this has room for it."""

MAX_VALUES = 500_000
"""Values in one body: what one costs to parse and to walk goes with their number, not with the bytes."""

LARGE = 16 * 1024
"""Bytes from which on a body is parsed in a thread; switching to one takes as long as parsing so much."""

ROOM_FROM = 64 * 1024
"""Bytes from which on a body needs room: until it is answered, its customer has only so many of the kind."""

MAX_DEPTH = 32
"""Arrays and objects within each other; no body that is described has more than five."""

MAX_FAULTS = 100

_INTEGERS = range(-(2**63), 2**63)
_DIGITS = 20


Identify = Callable[[Scope], Awaitable[None]]
"""Finds who sends a request, where its route takes a caller, and raises where that is nobody who may."""

Room = Callable[[Scope], AbstractContextManager[None]]
"""Counts a request with a large body as long as the block lasts, and raises where its sender has too many."""


class StrictJsonMiddleware:
    """Checks what a route reads, when it reads it: the route is known by then, and so is its place."""

    def __init__(self, app: ASGIApp, identify: Identify, room: Room) -> None:
        self._app, self._identify, self._room = app, identify, room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; its body is checked when the route reads it."""
        with ExitStack() as until_answered:
            if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
                receive = _Checked(scope, receive, self._identify, lambda: self._take_room(scope, until_answered))
            await self._app(scope, receive, send)

    def _take_room(self, scope: Scope, until_answered: ExitStack) -> None:
        try:
            until_answered.enter_context(self._room(scope))
        except Refusal as error:
            raise RefusedBeforeBody(error) from error


class _Checked:
    """`receive` whose first message is the whole body. Raises RequestRefused or RefusedBeforeBody."""

    def __init__(self, scope: Scope, receive: Receive, identify: Identify, take_room: Callable[[], None]) -> None:
        self._scope, self._receive, self._identify, self._take_room = scope, receive, identify, take_room
        self._read = False

    async def __call__(self) -> Message:
        """The whole body, and then the messages that follow it."""
        if self._read:
            return await self._receive()
        self._read = True
        try:
            await self._identify(self._scope)
        except Exception as error:
            raise RefusedBeforeBody(error) from error
        headers, model = Headers(scope=self._scope), _body_model(self._scope)
        limit = MAX_BODY_BYTES if model is None else _room_for(model)
        _check_length(headers.get("content-length", "0"), limit)
        _check_encoding(headers.get("content-encoding", "identity"))
        message = await self._whole(limit)
        # A route without a described body reads bytes that are signed, or nothing.
        if message.get("body") and model is not None:
            _check_media_type(headers.get("content-type", ""))
            if len(message["body"]) > LARGE:
                await computed(check, message["body"])
            else:
                check(message["body"])
        return message

    async def _whole(self, limit: int) -> Message:
        chunks, size, more = [], 0, True
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            chunks.append(message.get("body", b""))
            before, size = size, size + len(chunks[-1])
            if size > limit:
                _too_large(limit)
            if before <= ROOM_FROM < size:
                self._take_room()
            more = message.get("more_body", False)
        return {"type": "http.request", "body": b"".join(chunks), "more_body": False}


def _body_model(scope: Scope) -> Any:
    """What a route describes as its body; None where it describes none."""
    matched = matched_route(scope)
    route = getattr(matched, "original_route", matched)
    if isinstance(route, APIRoute) and route.body_field is not None:
        return route.body_field.field_info.annotation
    return None


@cache
def _room_for(model: Any) -> int:
    """How many bytes such a body may have."""
    waiting: list[Any] = [TypeAdapter(model).json_schema()]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if part.get("maxItems", 0) > LONG_LIST:
                return MAX_LIST_BYTES
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return MAX_BODY_BYTES


def declared_bytes(scope: Scope) -> int:
    """How long a request says that its body is; 0 where it does not say, or nothing that can be."""
    value = Headers(scope=scope).get("content-length", "")
    return int(value) if value.isdecimal() and len(value) < _DIGITS else 0


def _check_length(value: str, limit: int) -> None:
    if value.isdecimal() and len(value) < 20 and int(value) <= limit:
        return
    _too_large(limit)


def _too_large(limit: int) -> NoReturn:
    most = f"{limit // 1024**2} MiB" if limit >= 1024**2 else f"{limit // 1024} KiB"
    text = f"this has more than {most}; send less at a time"
    # What else is on its way is not read, so this connection can carry nothing after it.
    raise RequestRefused(413, "too_large", _fault("body", "too_large", text), headers={"Connection": "close"})


def _check_encoding(value: str) -> None:
    if value.strip().lower() != "identity":
        text = "compressed bodies are not read; send it as it is"
        # RFC 9110, section 12.5.3: what could have been sent instead.
        accepted = {"Accept-Encoding": "identity"}
        fault = _fault("Content-Encoding", "unsupported_encoding", text)
        raise RequestRefused(415, "unsupported_media_type", fault, headers=accepted)


def _check_media_type(value: str) -> None:
    kind, _, sub = value.partition(";")[0].strip().lower().partition("/")
    if kind == "application" and (sub == "json" or sub.endswith("+json")):
        return
    text = "a body here is JSON; send it with the header `Content-Type: application/json`"
    raise RequestRefused(415, "unsupported_media_type", _fault("Content-Type", "unsupported_media_type", text))


def check(raw: bytes) -> None:
    """Refuse what is not JSON, or JSON that two parsers could read differently. Raises RequestRefused."""
    if (values := raw.count(b",") + raw.count(b"[") + raw.count(b"{")) > MAX_VALUES:
        text = f"this has about {values:,} values, and {MAX_VALUES:,} are the most; send less at a time"
        _unreadable("too_many_values", text)
    try:
        found = json.loads(
            raw.decode(),
            object_pairs_hook=_Members.of,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_Wrong.nan,
        )
    except UnicodeDecodeError as error:
        _unreadable("not_utf8", f"this is not UTF-8 text (byte {error.start}); send JSON in UTF-8")
    except json.JSONDecodeError as error:
        _unreadable("json_invalid", f"this is not JSON: {error.msg} (line {error.lineno}, column {error.colno})")
    except RecursionError:
        _unreadable("too_deep", _TOO_DEEP)
    faults = [fault for fault, _ in zip(_faults(found), range(MAX_FAULTS), strict=False)]
    if faults:
        raise RequestRefused(422, "invalid_request", *faults)


_TOO_DEEP = f"arrays and objects lie in each other more than {MAX_DEPTH} deep; nothing here is described so"


def _unreadable(code: str, text: str) -> NoReturn:
    raise RequestRefused(422, "invalid_request", _fault("body", code, text))


class _Wrong:
    """A value that is refused, in the place where it was."""

    def __init__(self, code: str, text: str) -> None:
        self.code, self.text = code, text

    @classmethod
    def nan(cls, text: str) -> "_Wrong":
        return cls("not_a_number", f"{text} is not JSON; send a number, or null")

    @classmethod
    def large(cls) -> "_Wrong":
        return cls("number_too_large", "this number is larger than any that can be meant here; it has at most 63 bits")


class _Members(dict[str, Any]):
    """An object, and which of its members it has twice."""

    twice: tuple[str, ...] = ()

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> "_Members":
        made = cls(pairs)
        if len(made) < len(pairs):
            seen: set[str] = set()
            made.twice = tuple(dict.fromkeys(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
        return made


def _integer(text: str) -> "int | _Wrong":
    return value if len(text) <= _DIGITS and (value := int(text)) in _INTEGERS else _Wrong.large()


def _number(text: str) -> "float | _Wrong":
    return value if math.isfinite(value := float(text)) else _Wrong.large()


def _faults(body: Any) -> Iterator[Fault]:
    """Everything in a parsed body that is refused, by its place."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), body)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            if not _is_text(value):
                yield _fault(_place(path), "text_unreadable", _NO_TEXT)
        elif isinstance(value, _Wrong):
            yield _fault(_place(path), value.code, value.text)
        elif isinstance(value, dict | list) and len(path) >= MAX_DEPTH:
            yield _fault(_place(path[:4]), "too_deep", _TOO_DEEP)
        elif isinstance(value, _Members):
            yield from _member_faults(path, value)
            waiting.extend(((*path, key), item) for key, item in reversed(value.items()))
        elif isinstance(value, list):
            waiting.extend(((*path, str(index)), value[index]) for index in reversed(range(len(value))))


def _member_faults(path: tuple[str, ...], members: _Members) -> Iterator[Fault]:
    for key in members.twice:
        yield _fault(_place((*path, key)), "given_twice", "this is there more than once; leave all but one out")
    for key in members:
        if not _is_text(key):
            yield _fault(_place((*path, key)), "name_unreadable", _NO_TEXT)


_NO_TEXT = "this holds a NUL or half of a surrogate pair, which no text can; leave it out"


def _is_text(value: str) -> bool:
    # Almost all text is ASCII, and Python knows of each whether it is.
    return "\0" not in value and (value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value))


def _place(path: tuple[str, ...]) -> str:
    return "/".join(part[:100] for part in path) or "body"


def _fault(field: str, code: str, text: str) -> Fault:
    # Its name may be what is wrong with a member.
    return Fault(field=field.encode("utf-8", "replace").decode().replace("\0", "\\0"), code=code, text=text)
