"""What STAC says of an object besides its files: where, when, and plain properties; all of it bounded."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from models.instants import read_instant, rfc3339
from services.catalogue.places import Unfit, box_in_degrees, is_number, place_of
from services.catalogue.source_contents import Description, is_storable

MAX_PROPERTIES: Final = 100
MAX_KEY_CHARACTERS: Final = 100
MAX_TEXT_CHARACTERS: Final = 1_000

# Before STAC 0.9 the two ends of a range were an extension.
_BEGINS: Final = ("start_datetime", "dtr:start_datetime")
_ENDS: Final = ("end_datetime", "dtr:end_datetime")
_TIMES: Final = frozenset({"datetime", *_BEGINS, *_ENDS})
_OURS: Final = ("order:", "consignor:")


def description_of(item: Mapping[str, Any], odd: set[str]) -> Description:
    """What an item says of itself; what cannot be kept is left out, and `odd` gets what follows “some of the items”."""
    place = place_of(item.get("geometry"), item.get("bbox"), odd)
    properties = item.get("properties")
    if not isinstance(properties, dict):
        odd.add("have no properties")
        properties = {}
    begins_at, ends_at = _time(properties, odd)
    plain = _plain(properties, odd)
    if begins_at != ends_at and (nominal := _nominal(properties)):
        plain["datetime"] = nominal
    return Description(place and place.geometry, place and place.box, begins_at, ends_at, plain)


def _time(properties: Mapping[str, Any], odd: set[str]) -> tuple[datetime | None, datetime | None]:
    """Begin and end; the range where one is given, else the one instant; nothing where either cannot be read."""
    at, begins, ends = _first(properties, ("datetime",)), _first(properties, _BEGINS), _first(properties, _ENDS)
    if at is None and (begins is None) != (ends is None):
        odd.add("have a range of time with one end: taken as an instant")
        at = ends if begins is None else begins
    try:
        if begins is not None and ends is not None:
            span = _instant(begins, odd), _instant(ends, odd)
        else:
            span = (_instant(at, odd),) * 2
        if span[0] > span[1]:
            raise Unfit
    except ValueError:
        odd.add("have no time that can be read: their newest file's is taken")
        return None, None
    return span


def _first(properties: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((found for name in names if (found := properties.get(name)) is not None), None)


def _nominal(properties: Mapping[str, Any]) -> str | None:
    """The one instant that stands for a range, where the item names one besides."""
    try:
        return rfc3339(_instant(properties.get("datetime"), set()))
    except ValueError:
        return None


def _instant(said: Any, odd: set[str]) -> datetime:
    """An instant in UTC, as which it is taken where it has no offset. Raises ValueError."""
    if not isinstance(said, str):
        raise Unfit
    found = read_instant(said)
    if found.tzinfo is None:
        odd.add("have a time without a time zone: taken as UTC")
        return found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise Unfit from error


def _plain(properties: Mapping[str, Any], odd: set[str]) -> dict[str, Any]:
    """The properties that are one text, number or truth value; times have columns of their own, orders are ours."""
    found: dict[str, Any] = {}
    for key, value in properties.items():
        if key in _TIMES or key.startswith(_OURS):
            continue
        if not isinstance(value, str | int | float):
            continue
        if not _is_plain(value) or len(key) > MAX_KEY_CHARACTERS or not is_storable(key):
            odd.add("have properties that cannot be kept: left out")
        elif len(found) == MAX_PROPERTIES:
            odd.add(f"have more than {MAX_PROPERTIES} properties: the others are left out")
            break
        else:
            found[key] = value
    return found


def _is_plain(value: str | float) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT_CHARACTERS and is_storable(value)
    return isinstance(value, bool) or is_number(value)


class Extent(NamedTuple):
    """A collection's extent as it is kept, None where it cannot be read, and what is odd about it."""

    kept: dict[str, Any] | None
    oddity: str | None = None


def extent_of(said: Any) -> Extent:
    """A collection's extent: its first box and its first interval, which are those of all of it."""
    if not isinstance(said, dict):
        return Extent(None, "no extent")
    box = box_in_degrees(_of_first("bbox", said.get("spatial")))
    interval = _of_first("interval", said.get("temporal"))
    if box is None:
        return Extent(None, "no bbox in its extent that can be read")
    if not isinstance(interval, list) or not 1 <= len(interval) <= 2:
        return Extent(None, "no interval in its extent that can be read")
    try:
        begins, ends = (None if end is None else _instant(end, set()) for end in [*interval, None][:2])
        if begins is not None and ends is not None and begins > ends:
            raise Unfit
    except ValueError:
        return Extent(None, "no interval in its extent that can be read")
    oddity = "an interval with one end in its extent: open" if len(interval) == 1 else None
    return Extent({"bbox": [*box], "interval": [end and rfc3339(end) for end in (begins, ends)]}, oddity)


def _of_first(name: str, said: Any) -> Any:
    """The first of a list of lists; a list that is the first itself is a common slip, and means the same."""
    found = said.get(name) if isinstance(said, dict) else None
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, list) else found
