"""Which files of the objects of a product are wanted: some kinds of them, or those whose names match a pattern."""

from collections.abc import Mapping
from typing import Any, Final

KEPT: Final = """
    ({filter} IS NULL OR (
        (NOT {filter} ? 'kinds' OR {filter} -> 'kinds' ? {file}.kind)
        AND (NOT {filter} ? 'pattern' OR {file}.name ~ ({filter} ->> 'pattern'))))
"""
"""Whether a filter keeps a file, in SQL."""


def kept(file_filter: str, file: str) -> str:
    """The condition in SQL that a filter, none where it is null, keeps a file; both are names of a column and a row."""
    return KEPT.format(filter=file_filter, file=file)


Written = Mapping[str, Any]
"""A filter as tables have it: `kinds`, `glob` or `regex` as given, and the `pattern` that PostgreSQL reads."""
