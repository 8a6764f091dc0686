"""Adds to a cart what can be ordered of what was asked for, and tells of the rest why it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from anyio import to_thread
from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.cart import SelectionKind, Unaddable, unaddable_in_words
from models.catalogue_search import ObjectFilter
from models.errors import Failed, Fault, NothingAdded, QuotaExceeded
from models.queries import cart as queries
from models.queries import cart_adding
from models.queries.catalogue_search import matches
from models.tables import Cart, CartSelection
from services.cart import CartView, count_selection, lock_cart, settle
from services.catalogue_areas import AreaMatcher
from services.listing import FORCE_CUSTOM_PLAN
from services.numbers import CART_SELECTIONS, MAX_IN_CART, require_room
from services.order_lines import uuids
from storage.sources.registry import Sources

CHUNK: Final = 2_000
"""How many objects are compared with an area at a time."""

MAX_TOLD: Final = cart_adding.MAX_TOLD


class Unadded(NamedTuple):
    """Something that was not added: its place among what was sent, from 1, what it is called, and why."""

    position: int | None
    key: str
    reason: Unaddable
    text: str


@dataclass(frozen=True)
class Added:
    """What came of adding: the cart, the selection, how much it has more, and the first hundred that were left out."""

    view: CartView
    selection: int
    added: int
    unadded: Sequence[Unadded]
    unadded_total: int


class _Place(NamedTuple):
    """A product that the customer may see, and whether orders can read its storage."""

    id: int
    is_readable: bool


@dataclass(frozen=True)
class CartFiller:
    """Adds to a customer's cart, which it locks."""

    session: AsyncSession
    caller: Caller
    sources: Sources
    now: datetime

    async def add_keys(
        self, kind: SelectionKind, keys: Sequence[str], request: dict[str, Any], *, ids: bool, names: bool
    ) -> Added:
        """Add objects and files by their ids, or objects by their names or as `PRODUCT/NAME`.

        Raises NothingAdded or QuotaExceeded.
        """
        cart, places = await lock_cart(self.session, self.caller), await self._places()
        selection = await self._selection(cart, kind, request)
        values = {
            "cart": cart.id,
            "selection": selection.number,
            "ids": cart_adding.one_text(await uuids(keys) if ids else {}, keys),
            "names": list(keys) if names else [None] * len(keys),
            "open": [place.id for place in places.values()],
            "readable": [place.id for place in places.values() if place.is_readable],
        }
        await self.session.execute(FORCE_CUSTOM_PLAN)
        row = (await self.session.execute(cart_adding.ADD_KEYS, values)).one()
        unadded = [
            _unadded(found["position"], keys[found["position"] - 1], Unaddable(found["reason"]), found["products"])
            for found in row.refused
        ]
        if row.refused_total == len(keys):
            raise _nothing_added(unadded)
        return await self._settled(cart, selection, row.added, unadded, row.refused_total)

    async def add_product(self, sku: str) -> Added:
        """Add all objects that a product has now. Raises NothingAdded or QuotaExceeded."""
        return await self.add_search([sku], ObjectFilter(), {"product": sku}, SelectionKind.PRODUCT)

    async def add_search(
        self,
        skus: Sequence[str] | None,
        criteria: ObjectFilter,
        request: dict[str, Any],
        kind: SelectionKind = SelectionKind.SEARCH,
    ) -> Added:
        """Add what a search finds now, in these products or in all. Raises NothingAdded or QuotaExceeded."""
        cart, places = await lock_cart(self.session, self.caller), await self._places()
        wanted = [*places] if skus is None else list(dict.fromkeys(skus))
        unadded = [_unadded(n, sku, why) for n, sku in enumerate(wanted, 1) if (why := _why_not(places.get(sku)))]
        among = [place.id for sku in wanted if (place := places.get(sku)) is not None and place.is_readable]
        if not among:
            raise _nothing_added(unadded)
        selection = await self._selection(cart, kind, request)
        added, empty, empty_total = await self._insert_found(cart.id, selection.number, among, criteria)
        told = [*unadded, *(_unadded(None, name, Unaddable.NOTHING_ORDERABLE) for name in empty)]
        if not added:
            raise _nothing_added(told)
        return await self._settled(cart, selection, added, told, len(unadded) + empty_total)

    async def _insert_found(
        self, cart: int, selection: int, among: Sequence[int], criteria: ObjectFilter
    ) -> tuple[int, list[str], int]:
        """How many objects were added, and the first names of those without files with how many they are."""
        await self.session.execute(FORCE_CUSTOM_PLAN)
        found = matches(among, criteria, None)
        if criteria.area is not None:
            return await self._insert_in_area(cart, selection, found, AreaMatcher(criteria.area)), [], 0
        put = await self.session.execute(cart_adding.add_chosen(cart, selection, found, most=MAX_IN_CART + 1))
        empty = (await self.session.execute(cart_adding.without_files(found))).all()
        return put.rowcount, [row[0] for row in empty], empty[0][1] if empty else 0  # type: ignore[attr-defined]

    async def _insert_in_area(self, cart: int, selection: int, found: cart_adding.Chosen, matcher: AreaMatcher) -> int:
        """Of what overlaps the boxes of an area, what is in it: so much at a time that memory stays as it is."""
        added = 0
        candidates = await self.session.stream(found.order_by(None), execution_options={"max_row_buffer": CHUNK})
        while rows := await candidates.fetchmany(CHUNK):
            inside = await to_thread.run_sync(matcher.among, rows)
            statement = cart_adding.add_ids(cart, selection, [row.id for row in inside])
            added += (await self.session.execute(statement)).rowcount  # type: ignore[attr-defined]
            if added > MAX_IN_CART:
                break
        await candidates.close()
        return added

    async def _places(self) -> dict[str, _Place]:
        """The products that the customer may see, by SKU."""
        rows = await self.session.execute(cart_adding.places_open_to(self.caller.admitted))
        return {sku: _Place(product, self._can_read(location)) for sku, product, location in rows}

    def _can_read(self, location: str) -> bool:
        try:
            self.sources.at(location)
        except Failed:
            return False
        return True

    async def _selection(self, cart: Cart, kind: SelectionKind, request: dict[str, Any]) -> CartSelection:
        """A new selection; what is picked one by one comes to what was picked before."""
        if kind is SelectionKind.OBJECTS and (picked := await self._picked(cart)) is not None:
            # Counted as a whole again, with what comes to it.
            held = (await self.session.execute(queries.held_in(cart.id))).scalar_one()
            await count_selection(self.session, cart, picked.number, held, sign=-1)
            return picked
        await require_room(self.session, CART_SELECTIONS, self.caller.customer)
        cart.last_selection += 1
        made = CartSelection(cart_id=cart.id, number=cart.last_selection, kind=kind, request=request, made_at=self.now)
        self.session.add(made)
        await self.session.flush()
        return made

    async def _picked(self, cart: Cart) -> CartSelection | None:
        found = (await self.session.execute(queries.selections_in(cart.id))).scalars()
        return next((selection for selection in found if selection.kind == SelectionKind.OBJECTS), None)

    async def _settled(
        self, cart: Cart, selection: CartSelection, added: int, unadded: Sequence[Unadded], total: int
    ) -> Added:
        if (await self.session.execute(queries.held_in(cart.id))).scalar_one() > MAX_IN_CART:
            text = f"a cart holds at most {MAX_IN_CART:,} objects; order what is in it first, or choose fewer"
            raise QuotaExceeded([Fault(field="cart", code="too_many_in_cart", text=text)])
        await self.session.execute(queries.TAKE_PRODUCTS, {"cart": cart.id, "selection": selection.number})
        await count_selection(self.session, cart, selection.number, added, sign=1)
        view = await settle(self.session, self.caller, cart)
        return Added(view, selection.number, added, unadded[:MAX_TOLD], total)


def _why_not(place: _Place | None) -> Unaddable | None:
    if place is None:
        return Unaddable.UNKNOWN
    return None if place.is_readable else Unaddable.STORAGE_NOT_ALLOWED


def _unadded(position: int | None, key: str, reason: Unaddable, products: Sequence[str] = ()) -> Unadded:
    shown = key if len(key) <= 200 else f"{key[:200]}…"
    return Unadded(position, shown, reason, unaddable_in_words(reason, products))


def _nothing_added(unadded: Sequence[Unadded]) -> NothingAdded:
    if not unadded:
        return NothingAdded([Fault(field="search", code=Unaddable.UNKNOWN, text="nothing is found by this search")])
    return NothingAdded(
        Fault(field=str(found.position or "search"), code=found.reason, text=f"{found.key}: {found.text}")
        for found in unadded[:MAX_TOLD]
    )
