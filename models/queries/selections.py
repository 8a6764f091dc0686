"""Queries for what an order selects from the catalogue, as placing, validation and planning need it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped
from sqlalchemy.sql.dml import ReturningDelete
from sqlmodel import col

from models.queries.access import open_to
from models.splitting import ObjectWeight
from models.tables import CartObject, CatalogueFile, CatalogueObject, OrderItem, OrderSelection, Product

_SELECT_OBJECTS = """
    INSERT INTO order_selections (order_id, seq, position, object_id, name)
    SELECT :order_id, :offset + row_number() OVER (ORDER BY o.name), :position, o.id, o.name
    FROM catalogue_objects o
    WHERE o.product_id = :product_id AND NOT o.accompanies AND o.id <> ALL(CAST(:left_out AS uuid[]))
"""
WHOLE_PRODUCT = sa.text(_SELECT_OBJECTS)
"""Select every object of a product but those that are left out, and those that go along with any."""

FROM_CART = sa.text(f"""{_SELECT_OBJECTS}
        AND o.id IN (SELECT object_id FROM cart_objects WHERE cart_id = :cart AND product_id = :product_id)
        AND EXISTS (SELECT FROM catalogue_files f WHERE f.object_id = o.id)
""")  # noqa: S608 - nothing of a stranger's
"""Select what a cart holds of the objects of a product."""

ORDERABLE = sa.not_(col(CatalogueObject.accompanies))
"""Whether an object can be chosen; what accompanies others cannot."""


def _among(column: Mapped[Any], values: Sequence[str]) -> sa.ColumnElement[bool]:
    """`column = ANY(array)`: one parameter for any number of values, where IN binds each and 65,535 are the most."""
    return column == sa.any_(sa.literal(values, ARRAY(sa.Text)))


def _with_id(column: Mapped[Any], ids: Sequence[UUID]) -> sa.ColumnElement[bool]:
    """The same of ids. They travel as one text, which the driver writes five times as fast as a list.

    It is taken apart in a query of its own, once: in an expression it would be for each row that is looked at.
    """
    written = sa.literal(",".join([key.hex for key in ids]), sa.Text)
    return column.in_(sa.select(sa.func.unnest(sa.cast(sa.func.string_to_array(written, ","), ARRAY(sa.Uuid)))))


class SelectedFile(NamedTuple):
    """A catalogue file that an order selects."""

    location: str
    file_id: UUID
    object_name: str
    name: str
    href: str
    media_type: str
    size_bytes: int
    modified_ns: int
    sha256: bytes | None


def _selected(selection: sa.FromClause = OrderSelection.__table__) -> sa.Join:  # type: ignore[attr-defined]
    """Selections joined with what they select; a vanished object or file drops out."""
    objects, files = CatalogueObject.__table__, CatalogueFile.__table__  # type: ignore[attr-defined]
    in_selection = sa.or_(selection.c.file_id.is_(None), selection.c.file_id == files.c.id)
    join: sa.Join = (
        selection.join(objects, objects.c.id == selection.c.object_id)
        .join(files, sa.and_(files.c.object_id == objects.c.id, in_selection))
        .join(Product.__table__, Product.__table__.c.id == objects.c.product_id)  # type: ignore[attr-defined]
    )
    return join


_FILE_COLUMNS = (
    col(Product.location),
    col(CatalogueFile.id),
    col(CatalogueObject.name),
    col(CatalogueFile.name),
    col(CatalogueFile.href),
    col(CatalogueFile.media_type),
    col(CatalogueFile.size_bytes),
    col(CatalogueFile.modified_ns),
    col(CatalogueFile.sha256),
)
"""The columns of `SelectedFile`."""


def _files() -> sa.Select[*tuple[Any, ...]]:
    """Files that are selected, as columns of `SelectedFile`."""
    return sa.select(*_FILE_COLUMNS).select_from(_selected())


class Deliverable(NamedTuple):
    """What of an order may still be delivered: nothing of closed products, and no object that has changed since."""

    ordered_at: datetime
    closed: Sequence[str] = ()

    @property
    def condition(self) -> sa.ColumnElement[bool]:
        """The same in a query of what is selected."""
        return sa.and_(col(CatalogueObject.changed_at) <= self.ordered_at, col(Product.sku).not_in(self.closed))


def selected_files_after(
    order_id: UUID, deliverable: Deliverable, seq: int, name: str, *, limit: int
) -> sa.Select[*tuple[Any, ...]]:
    """A page of the deliverable files an order selects, as columns of `SelectedFile`, and the number of the selection.

    The first page is after (0, ""): no cursor and no transaction stays open while storage is asked.
    """
    number, file = col(OrderSelection.seq), col(CatalogueFile.name)
    return (
        _files()
        .add_columns(number)
        # The first condition says nothing new; it is what the primary key can seek.
        .where(col(OrderSelection.order_id) == order_id, number >= seq, sa.tuple_(number, file) > (seq, name))
        .where(deliverable.condition)
        .order_by(number, file)
        .limit(limit)
    )


def selected_files_of(order_id: UUID, object_ids: list[UUID]) -> sa.Select[*tuple[Any, ...]]:
    """All files an order selects of some objects, as columns of `SelectedFile`, by product, object and name."""
    return (
        _files()
        .where(
            col(OrderSelection.order_id) == order_id,
            _with_id(col(OrderSelection.object_id), object_ids),
        )
        .order_by(col(OrderSelection.position), col(CatalogueObject.name), col(CatalogueFile.name))
    )


def selected_folders_of(order_id: UUID, object_ids: list[UUID]) -> sa.Select[str, str]:
    """Object and name of the empty folders of objects that an order selects as a whole."""
    folder = sa.func.unnest(col(CatalogueObject.empty_folders)).label("folder")
    whole = sa.exists().where(
        col(OrderSelection.order_id) == order_id,
        col(OrderSelection.object_id) == col(CatalogueObject.id),
        col(OrderSelection.file_id).is_(None),
    )
    among = _with_id(col(CatalogueObject.id), object_ids)
    return sa.select(col(CatalogueObject.name), folder).where(among, whole).order_by(col(CatalogueObject.name), folder)


def accompanying(order_id: UUID, skus: Sequence[str]) -> sa.Select[*tuple[Any, ...]]:
    """SKU and columns of `SelectedFile` of the products' own files, but for what an older order selects by itself."""
    selected = sa.exists().where(
        col(OrderSelection.order_id) == order_id, col(OrderSelection.object_id) == col(CatalogueObject.id)
    )
    return (
        sa.select(col(Product.sku), *_FILE_COLUMNS)
        .join(CatalogueObject, col(CatalogueObject.product_id) == col(Product.id))
        .join(CatalogueFile, col(CatalogueFile.object_id) == col(CatalogueObject.id))
        .where(_among(col(Product.sku), skus), col(CatalogueObject.accompanies), ~selected)
        .order_by(col(Product.sku), col(CatalogueFile.name))
    )


Weights = sa.Select[UUID, str, str, bool, int, int]
"""Object id, SKU, location, whether any file is nearline, files and bytes, of each object that is selected."""


def object_weights(order_id: UUID, deliverable: Deliverable) -> Weights:
    """The weights of what an order selects and may have."""
    table: sa.Table = OrderSelection.__table__  # type: ignore[attr-defined]
    return _weights(table).where(table.c.order_id == order_id, deliverable.condition)


class UnplacedSelection(NamedTuple):
    """What an order would select: whole products by position and id, less `left_out`; objects, files by position."""

    wholes: Sequence[tuple[int, int]]
    singles: Sequence[tuple[int, UUID, UUID | None]]
    left_out: Sequence[UUID] = ()
    carts: Sequence[tuple[int, int, int]] = ()
    """Position, cart and product, where it is what a cart holds of objects."""


def weights_of(selection: UnplacedSelection) -> Weights:
    """The weights of what is no order yet."""
    return _weights(_unplaced(selection))


def files_of(selection: UnplacedSelection, *, limit: int) -> sa.Select[*tuple[Any, ...]]:
    """The first files of what is no order yet: object id, SKU and the columns of `SelectedFile`, by position."""
    rows = _unplaced(selection)
    return (
        sa.select(col(CatalogueObject.id), col(Product.sku), *_FILE_COLUMNS)
        .select_from(_selected(rows))
        .order_by(rows.c.position, col(CatalogueObject.name), col(CatalogueFile.name))
        .limit(limit)
    )


def _unplaced(selection: UnplacedSelection) -> sa.Subquery:
    """What would be selected, as rows of `order_selections` would have it."""
    wholes, singles, left_out, carts = selection
    positions, objects, files = ([row[n] for row in singles] for n in range(3))
    single = sa.func.unnest(
        sa.literal(positions, ARRAY(sa.Integer)),
        sa.literal(objects, ARRAY(sa.Uuid)),
        sa.literal(files, ARRAY(sa.Uuid)),
    )
    columns = sa.column("position", sa.Integer), sa.column("object_id", sa.Uuid), sa.column("file_id", sa.Uuid)
    named = sa.select(*single.table_valued(*columns).render_derived().c)
    lines = (
        sa.func.unnest(
            sa.literal([position for position, _ in wholes], ARRAY(sa.Integer)),
            sa.literal([product for _, product in wholes], ARRAY(sa.BigInteger)),
        )
        .table_valued(sa.column("position", sa.Integer), sa.column("product_id", sa.BigInteger))
        .render_derived()
    )
    whole = (
        sa.select(lines.c.position, col(CatalogueObject.id), sa.cast(sa.null(), sa.Uuid))
        .join(CatalogueObject, col(CatalogueObject.product_id) == lines.c.product_id)
        .where(ORDERABLE, col(CatalogueObject.id) != sa.all_(sa.literal(list(left_out), ARRAY(sa.Uuid))))
    )
    in_carts = (
        sa.func.unnest(*(sa.literal([row[n] for row in carts], ARRAY(sa.BigInteger)) for n in range(3)))
        .table_valued(*(sa.column(name, sa.BigInteger) for name in ("position", "cart_id", "product_id")))
        .render_derived(name="carts")
    )
    held = (
        sa.select(sa.cast(in_carts.c.position, sa.Integer), col(CartObject.object_id), sa.cast(sa.null(), sa.Uuid))
        .join(
            CartObject,
            sa.and_(col(CartObject.cart_id) == in_carts.c.cart_id, col(CartObject.product_id) == in_carts.c.product_id),
        )
        .where(col(CartObject.object_id) != sa.all_(sa.literal(list(left_out), ARRAY(sa.Uuid))))
        .distinct()
    )
    return sa.union_all(named, whole, held).subquery("selection")


def _weights(selection: sa.FromClause) -> Weights:
    return (
        sa.select(
            col(CatalogueObject.id),
            col(Product.sku),
            col(Product.location),
            sa.func.bool_or(col(CatalogueFile.tier) == "nearline"),
            sa.func.count(),
            sa.cast(sa.func.sum(col(CatalogueFile.size_bytes)), sa.BigInteger),
        )
        .select_from(_selected(selection))
        .group_by(selection.c.position, col(CatalogueObject.id), col(Product.sku), col(Product.location))
        .order_by(selection.c.position, col(CatalogueObject.name))
    )


def to_weights(rows: Iterable[sa.Row[UUID, str, str, bool, int, int]]) -> tuple[list[ObjectWeight], dict[str, str]]:
    """Rows of weights as `split` takes them, and the location of each product."""
    weights, locations = [], {}
    for row in rows:
        key, sku, location, nearline, files, size = row
        locations[sku] = location
        tier = "nearline" if nearline else "online"
        weights.append(ObjectWeight(key=key, product=sku, tier=tier, files=files, bytes=size))
    return weights, locations


def selection_totals(order_id: UUID) -> sa.Select[int, int, int, int]:
    """Position, objects, files and bytes of each line of an order, as they are paid for.

    What a draft has chosen and goes along with others by now costs nothing.
    """
    return (
        sa.select(
            col(OrderSelection.position),
            sa.func.count(col(CatalogueObject.id).distinct()),
            sa.func.count(),
            sa.cast(sa.func.sum(col(CatalogueFile.size_bytes)), sa.BigInteger),
        )
        .select_from(_selected())
        .where(col(OrderSelection.order_id) == order_id, ORDERABLE)
        .group_by(col(OrderSelection.position))
    )


def _is_there() -> sa.ColumnElement[bool]:
    """Whether the catalogue has a file of what a row of `order_selections` selects."""
    files = sa.select(sa.literal(1)).where(
        col(CatalogueFile.object_id) == col(OrderSelection.object_id),
        sa.or_(col(OrderSelection.file_id).is_(None), col(CatalogueFile.id) == col(OrderSelection.file_id)),
    )
    return files.exists()


def vanished(order_id: UUID, *, limit: int) -> sa.Select[str, str]:
    """SKU and name of what an order selects and the catalogue no longer has."""
    return (
        sa.select(col(OrderItem.sku), col(OrderSelection.name))
        .join(
            OrderItem,
            sa.and_(
                col(OrderItem.order_id) == col(OrderSelection.order_id),
                col(OrderItem.position) == col(OrderSelection.position),
            ),
        )
        .where(col(OrderSelection.order_id) == order_id, ~_is_there())
        .order_by(col(OrderSelection.seq))
        .limit(limit)
    )


def changed_since(order_id: UUID, created_at: object, *, limit: int) -> sa.Select[str]:
    """Names of selected objects that the catalogue has changed since the order was placed."""
    return (
        sa.select(col(CatalogueObject.name))
        .join(OrderSelection, col(OrderSelection.object_id) == col(CatalogueObject.id))
        .where(col(OrderSelection.order_id) == order_id, col(CatalogueObject.changed_at) > created_at)
        .order_by(col(OrderSelection.seq))
        .limit(limit)
    )


def products_by_sku(skus: list[str], groups: Collection[str] | None) -> sa.Select[Product]:
    """The products of these SKUs that are open to the groups, all of them for None."""
    return sa.select(Product).where(col(Product.sku).in_(skus), open_to(groups))


def objects_of(product_id: int, keys: list[str], ids: list[UUID]) -> sa.Select[CatalogueObject]:
    """The objects of a product that have one of these names or ids."""
    named = sa.or_(_among(col(CatalogueObject.name), keys), _with_id(col(CatalogueObject.id), ids))
    return sa.select(CatalogueObject).where(col(CatalogueObject.product_id) == product_id, ORDERABLE, named)


def objects_by_id(ids: list[UUID], groups: Collection[str] | None) -> sa.Select[CatalogueObject, Product]:
    """Objects and their products, as far as these are open to the groups."""
    return (
        sa.select(CatalogueObject, Product)
        .join(Product, col(Product.id) == col(CatalogueObject.product_id))
        .where(_with_id(col(CatalogueObject.id), ids), ORDERABLE, open_to(groups))
    )


def files_by_id(ids: list[UUID], groups: Collection[str] | None) -> sa.Select[CatalogueFile, CatalogueObject, Product]:
    """Files with their objects and products, as far as these are open to the groups."""
    return (
        sa.select(CatalogueFile, CatalogueObject, Product)
        .join(CatalogueObject, col(CatalogueObject.id) == col(CatalogueFile.object_id))
        .join(Product, col(Product.id) == col(CatalogueObject.product_id))
        .where(_with_id(col(CatalogueFile.id), ids), ORDERABLE, open_to(groups))
    )


def items_with_products(order_id: UUID, groups: Collection[str] | None) -> sa.Select[OrderItem, Product]:
    """The lines of an order and their products, None where the catalogue has lost one or it is closed to the groups."""
    return (
        sa.select(OrderItem, Product)
        .outerjoin(Product, sa.and_(col(Product.id) == col(OrderItem.product_id), open_to(groups)))
        .where(col(OrderItem.order_id) == order_id)
        .order_by(col(OrderItem.position))
    )


def selections_of(order_id: UUID) -> sa.Select[OrderSelection, bool]:
    """The selections of an order, and whether the catalogue still has something of each."""
    query = sa.select(OrderSelection, _is_there()).where(col(OrderSelection.order_id) == order_id)
    return query.order_by(col(OrderSelection.seq))


def remove_lines(order_id: UUID) -> tuple[sa.Delete, ReturningDelete[int, str]]:
    """Remove what an order selects and its items, which are then written again."""
    return sa.delete(OrderSelection).where(col(OrderSelection.order_id) == order_id), remove_items(order_id)


def remove_items(order_id: UUID) -> ReturningDelete[int, str]:
    """Remove the items of an order, which are then written again; position and configuration of each."""
    statement = sa.delete(OrderItem).where(col(OrderItem.order_id) == order_id)
    return statement.returning(col(OrderItem.position), col(OrderItem.configuration))
