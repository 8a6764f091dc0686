"""Groups of commands that are imported when somebody gives them: no command waits for what only others need."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

if TYPE_CHECKING:
    from typer._click import Command, Context, Parameter


def group_of(places: Mapping[str, str]) -> type[TyperGroup]:
    """A class of groups with these commands, in this order; a place is the `module:name` of a function or group."""

    class LazyGroup(TyperGroup):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.commands = _Commands(places)

        def get_params(self, ctx: "Context") -> "list[Parameter]":
            return _taking_as_given(super().get_params(ctx))

    return LazyGroup


class _Commands(MutableMapping[str, "Command"]):
    """Commands by their names, each imported when it is looked up."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = dict(places)
        self._loaded = dict[str, "Command"]()

    def __getitem__(self, name: str) -> "Command":
        if name not in self._loaded:
            self._loaded[name] = _load(name, self._places[name])
        return self._loaded[name]

    def __setitem__(self, name: str, command: "Command") -> None:
        self._places.setdefault(name, "")
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _load(name: str, place: str) -> "Command":
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    around = typer.Typer(add_completion=False)
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name, cls=_Command)(found)
    return get_group(around).commands[name]


class _Command(TyperCommand):
    def get_params(self, ctx: "Context") -> "list[Parameter]":
        return _taking_as_given(super().get_params(ctx))


def _taking_as_given(params: "list[Parameter]") -> "list[Parameter]":
    for param in params:
        # Typer asks this of a parameter once it has its value.
        vars(param).setdefault("get_runtime_param", partial(_AsGiven, getattr(param, "get_runtime_param")))  # noqa: B009
    return params


class _AsGiven:
    """The values of a parameter: texts and what is not given as they are, all else as Typer has it converted.

    Typer converts by Pydantic, whose import takes a third of the time of a command that lists a few orders.
    """

    def __init__(self, converting: Callable[[], Any]) -> None:
        self._converting = converting

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value for the command's function. Raises BadParameter."""
        kind, several = param.type_descriptor.annotation, param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        if param.type_descriptor.parameter_info.parser is None:
            if type(value) is kind:
                return value
            if kind == list[str] and not isinstance(value, str):
                return list(value)
        return self._converting().coerce(value, param, ctx)
