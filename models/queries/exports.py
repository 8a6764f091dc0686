"""Exports of orders: what PostgreSQL itself writes as CSV or JSON Lines, row by row, by COPY."""

import json
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from models.listing import OrderFilter, Sort, Visibility
from models.pricing import MINOR_UNITS, USUAL_MINOR_UNITS
from models.queries.delivery_status import Columns, delivery_status, percent
from models.queries.listing import ORDERS, in_order, matching, visible

_BLANK = r"[\s\x01-\x1f\u00a0\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]"
# What a spreadsheet computes, also in the full-width forms that Japanese ones take, and what a cell may begin with: a
# spreadsheet whose cells end in semicolons or tabs finds cells inside of ours, whatever stands in quotes.
_SIGN = r"[=+@\-＝＋－＠]"
_FORMULA_AT_FIRST = rf"^(?={_BLANK}*{_SIGN}|[\t\r\n])"
_FORMULA_WITHIN = rf"([;,|\t\r\n])(?={_BLANK}*{_SIGN})"
_PARTS = ("subtotal", "discount", "tax")
_NUMBERS = frozenset({"percent", "files_in_error", "size_bytes", "files", "objects", "total_price", *_PARTS})

_UNUSUAL_MINOR_UNITS = json.dumps({code: n for code, n in MINOR_UNITS.items() if n != USUAL_MINOR_UNITS})

_DIALECT: sa.Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class Copy(NamedTuple):
    """A COPY statement for psycopg, and its parameters."""

    statement: str
    parameters: dict[str, Any]


def as_csv(visibility: Visibility, criteria: OrderFilter, sort: Sort) -> Copy:
    """The orders that match, as CSV (RFC 4180) with a header; texts are quoted, and none is a formula."""
    columns = [sa.cast(column, sa.Text).label(name) for name, column in _columns(ORDERS.c, _disarmed).items()]
    texts = ", ".join(column.name for column in columns if column.name not in _NUMBERS)
    return _copy(sa.select(*columns), visibility, criteria, sort, f"FORMAT csv, HEADER, FORCE_QUOTE ({texts})")


def as_json_lines(visibility: Visibility, criteria: OrderFilter, sort: Sort) -> Copy:
    """The same, an object a line."""
    columns = _columns(ORDERS.c, lambda text: text)
    pairs = [part for name, column in columns.items() for part in (sa.literal_column(f"'{name}'"), column)]
    # Quote and delimiter are characters that JSON escapes: so nothing is ever quoted.
    plain = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02'"
    return _copy(sa.select(sa.func.json_build_object(*pairs)), visibility, criteria, sort, plain)


def _columns(o: Columns, text: Any) -> dict[str, sa.ColumnElement[Any]]:
    return {
        "order_id": o["id"],
        "order_number": o["number"],
        "creation": _instant(o["created_at"]),
        "expiration": _instant(o["expires_at"]),
        "customer": text(o["customer"]),
        "label": text(o["label"]),
        "products": text(sa.func.array_to_string(o["skus"], " ")),
        "status": o["status"],
        "delivery_status": delivery_status(o),
        "status_date": _instant(o["status_at"]),
        "percent": percent(o),
        "files_in_error": o["files_failed"],
        "size_bytes": o["bytes_total"],
        "files": o["files_total"],
        "objects": o["objects_total"],
        "total_price": _written(o["total_price"], o["currency"]),
        "currency": o["currency"],
        "failure": o["failure_code"],
        "subtotal": _written(sa.func.coalesce(o["subtotal"], o["total_price"]), o["currency"]),
        "discount": _written(o["discount"], o["currency"]),
        "tax": _written(o["tax"], o["currency"]),
    }


def _instant(at: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """An instant as RFC 3339 writes it, in UTC."""
    return sa.func.to_char(sa.func.timezone("UTC", at), sa.literal_column('\'YYYY-MM-DD"T"HH24:MI:SS"Z"\''))


def _written(amount: sa.ColumnElement[Any], currency: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """An amount with the decimals of its currency, or all that it has, as `models.pricing.written` writes it."""
    decimals = sa.cast(sa.literal(_UNUSUAL_MINOR_UNITS), JSONB)[currency].as_integer()
    decimals = sa.func.coalesce(decimals, sa.literal_column(str(USUAL_MINOR_UNITS)))
    return sa.func.round(amount, sa.func.greatest(decimals, sa.func.min_scale(amount)))


def _disarmed(text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A text in which no spreadsheet finds a formula: an apostrophe stands before what would begin one."""
    disarmed = sa.func.regexp_replace(text, _FORMULA_AT_FIRST, "'")
    disarmed = sa.func.regexp_replace(disarmed, _FORMULA_WITHIN, r"\1'", "g")
    # Most texts hold nothing of the kind, and are spared the longer look.
    return sa.case((text.op("~")(rf"{_SIGN}|^[\t\r\n]"), disarmed), else_=text)


def _copy(
    select: sa.Select[*tuple[Any, ...]], visibility: Visibility, criteria: OrderFilter, sort: Sort, options: str
) -> Copy:
    rows = select.where(*visible(ORDERS.c, visibility, criteria), *matching(ORDERS.c, criteria))
    compiled = rows.order_by(*in_order(ORDERS.c, sort)).compile(dialect=_DIALECT)
    return Copy(f"COPY ({compiled}) TO STDOUT WITH ({options})", dict(compiled.params))
