"""What an object has to fulfil in a search, as conditions; and which of them an index can find it by."""

import json
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from models.areas import Box, SearchArea
from models.catalogue_search import ObjectFilter, ObjectSort, PropertyTest, SearchTerm
from models.queries.delivery_status import Columns
from models.queries.listing import contains
from models.tables import CatalogueObject
from models.tables.catalogue import DURING, FOOTPRINT, ORDERED_PROPERTIES

OBJECTS: sa.Table = CatalogueObject.__table__  # type: ignore[attr-defined]

INSTANT = sa.DateTime(timezone=True)

Condition = sa.ColumnElement[bool]


class Lead(NamedTuple):
    """A condition that an index finds objects by, and one whose frequency PostgreSQL knows, or guesses."""

    found_by: Condition
    counted_by: Condition
    is_guess: bool = False


def leads(criteria: ObjectFilter) -> list[Lead]:
    """The ways to find what matches without reading everything."""
    o = OBJECTS.c
    plain = [
        *named(criteria),
        *(_holds(o, term) for term in criteria.terms),
        *(_passes(o, test) for test in criteria.properties if test.operator == "="),
        *_during(criteria),
    ]
    if sized := _sized(o, criteria):
        plain.append(sa.and_(*sized))
    ordered = (_passes(o, test) for test in criteria.properties if _has_own_index(test))
    return [
        *_place(criteria.area),
        *(Lead(condition, condition) for condition in plain),
        *(Lead(condition, condition, is_guess=True) for condition in ordered),
    ]


def _place(area: SearchArea | None) -> list[Lead]:
    if area is None:
        return []
    return [Lead(sa.and_(*_in_boxes(OBJECTS.c, area)), sa.or_(*(_beside(box) for box in _boxes(area))))]


def named(criteria: ObjectFilter) -> list[Condition]:
    """Of one of these names, and of these ids."""
    names = [] if criteria.names is None else [among(criteria.names)]
    ids = criteria.ids
    return names if ids is None else [*names, OBJECTS.c.id == sa.any_(sa.literal(list(ids), ARRAY(sa.Uuid)))]


def among(names: Collection[str]) -> Condition:
    """Of one of these names."""
    return OBJECTS.c.name == sa.any_(sa.literal(list(names), ARRAY(sa.Text)))


def of_products(o: Columns, products: Sequence[int]) -> list[Condition]:
    """Of one of these products, and no object that only accompanies the others."""
    shown = o["accompanies"].is_(sa.false())
    if len(products) == 1:  # whose index then gives the order too
        return [o["product_id"] == products[0], shown]
    return [_of(o, products), shown]


def _of(o: Columns, products: Sequence[int]) -> Condition:
    return o["product_id"] == sa.any_(sa.literal(list(products), ARRAY(sa.BigInteger)))


def beginning(o: Columns, criteria: ObjectFilter, sort: ObjectSort) -> list[Condition]:
    """What a walk need not look at: what begins behind the interval, and what is too small or large if so sorted."""
    begun = [] if criteria.ends is None else [o["begins_at"] <= sa.literal(criteria.ends, INSTANT)]
    return [*begun, *_sized(o, criteria)] if sort.key == "bytes" else begun


def matching(o: Columns, criteria: ObjectFilter) -> list[Condition]:
    """Everything else that is asked."""
    tests = [] if criteria.begins is None else [o["ends_at"] >= sa.literal(criteria.begins, INSTANT)]
    if criteria.area is not None:
        tests += _in_boxes(o, criteria.area)
    tests += [_holds(o, term) for term in criteria.terms]
    for column, wanted in (("kinds", criteria.kinds), ("tiers", criteria.tiers)):
        if wanted:
            tests.append(o[column].op("&&")(sa.literal(list(wanted), ARRAY(sa.Text))))
    return [*tests, *_sized(o, criteria), *(_passes(o, test) for test in criteria.properties)]


def _sized(o: Columns, criteria: ObjectFilter) -> list[Condition]:
    bounds = (criteria.min_bytes, operator.ge), (criteria.max_bytes, operator.le)
    return [test(o["bytes"], sa.literal(bound, sa.BigInteger)) for bound, test in bounds if bound is not None]


def _holds(o: Columns, term: SearchTerm) -> Condition:
    found = contains(o["search"], term.text)
    return sa.or_(found, _of(o, term.products)) if term.products else found


_COMPARED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

# JSON's values in PostgreSQL's order: texts from the empty one, numbers, truth values.
_TEXTS, _NUMBERS = ('""', "-1e400"), ("-1e400", "false")


def _passes(o: Columns, test: PropertyTest) -> Condition:
    """Whether an object has a property of the value's type that compares so."""
    there = o["properties"].op("->", return_type=JSONB())(sa.literal(test.name, sa.Text))
    if test.operator in _COMPARED:
        least, beyond = map(_json, _TEXTS if isinstance(test.value, str) else _NUMBERS)
        compared = _COMPARED[test.operator](there, _json(json.dumps(test.value)))
        # Two bounds: by one alone PostgreSQL guesses that a third is found, and reads everything.
        return sa.and_(compared, there >= least if test.operator in {"<", "<="} else there < beyond)
    same = o["properties"].bool_op("@>")(_json(json.dumps({test.name: test.value})))
    return same if test.operator == "=" else sa.and_(there.is_not(None), ~same)


def _json(written: str) -> sa.ColumnElement[Any]:
    return sa.cast(sa.literal(written, sa.Text), JSONB)


def _has_own_index(test: PropertyTest) -> bool:
    return test.operator in _COMPARED and test.name in ORDERED_PROPERTIES


def _boxes(area: SearchArea) -> list[Box]:
    return [turned for box in area.boxes for turned in box.everywhere]


def _in_boxes(o: Columns, area: SearchArea) -> list[Condition]:
    footprint: sa.ColumnElement[Any] = sa.literal_column(FOOTPRINT)
    return [o["west"].is_not(None), sa.or_(*(footprint.bool_op("&&")(as_box(box)) for box in _boxes(area)))]


def _beside(box: Box) -> Condition:
    """Nearly the same by one corner, of which PostgreSQL has statistics; of boxes it has none."""
    west, south, east, north = (sa.literal(side, sa.Double) for side in box)
    o = OBJECTS.c
    return sa.and_(o["west"].between(west, east), o["south"].between(south, north))


def as_box(box: Box) -> sa.ColumnElement[Any]:
    """A box as PostgreSQL compares it."""
    west, south, east, north = (sa.literal(side, sa.Double) for side in box)
    return sa.func.box(sa.func.point(west, south), sa.func.point(east, north))


def _during(criteria: ObjectFilter) -> list[Condition]:
    """Under way in the interval, as the index of times knows it."""
    if criteria.begins is None and criteria.ends is None:
        return []
    begins, ends = (sa.literal(end, INSTANT) for end in (criteria.begins, criteria.ends))
    return [sa.literal_column(DURING).bool_op("&&")(sa.func.tstzrange(begins, ends, "[]"))]
