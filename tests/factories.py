"""Rows for tests: products whose files really lie on the disk, and orders placed as the facade places them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import ByteSize
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import col
from temporalio.testing import ActivityEnvironment

from activities.planning import PlanningActivities
from activities.publishing import PublishingActivities
from activities.staging import StagingActivities
from models.access import Caller, customer_id
from models.areas import Box
from models.messages import OrderRef, Publication, SubOrderInput, SubOrderResult
from models.order_request import OrderRequest, RequestedLine
from models.queries.users import upsert_user
from models.quotas import Quotas
from models.shop_settings import ShopSettings
from models.splitting import Limits
from models.tables import CatalogueFile, CatalogueObject, Order, Product, User
from services.catalogue.places import outline
from services.placing import place
from tests.issuer import REALM

LOCAL_CALLER = Caller(customer_id(REALM, "local"))
"""Whose orders are, unless told otherwise; the tests' client is the same person."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""When the objects of products last changed: before any order of a test."""

Sessions = async_sessionmaker[AsyncSession]
Objects = Mapping[str, Mapping[str, bytes]]
"""Contents of files, by object and file name."""


async def add_product(
    sessions: Sessions,
    root: Path,
    sku: str,
    files: Objects,
    *,
    price: Decimal = Decimal(0),
    currency: str = "EUR",
    tier: str = "online",
    checksums: bool = True,
    groups: Sequence[str] = (),
) -> Product:
    """Write the files to `root/object/file` and the catalogue's rows of them."""
    product = Product(
        sku=sku,
        name=sku.title(),
        unit_price=price,
        currency=currency,
        location=str(root),
        access_groups=list(groups),
    )
    async with sessions.begin() as session:
        session.add(product)
        await session.flush()
        for object_name, contents in files.items():
            obj = CatalogueObject(product_id=product.id, name=object_name, changed_at=LONG_AGO)
            session.add(obj)
            await session.flush()
            session.add_all(
                _file(obj, root, name, content, tier=tier, checksums=checksums) for name, content in contents.items()
            )
    return product


def _file(obj: CatalogueObject, root: Path, name: str, content: bytes, *, tier: str, checksums: bool) -> CatalogueFile:
    href = f"{obj.name}/{name}"
    path = root / href
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return CatalogueFile(
        object_id=obj.id,
        name=name,
        href=href,
        size_bytes=len(content),
        media_type="application/octet-stream",
        kind="data",
        tier=tier,
        modified_ns=path.stat().st_mtime_ns,
        sha256=sha256(content).digest() if checksums else None,
    )


async def add_order(
    sessions: Sessions,
    items: Mapping[str, Sequence[str] | Literal["all"]],
    *,
    label: str | None = None,
    caller: Caller = LOCAL_CALLER,
    now: datetime | None = None,
) -> Order:
    """Place an order of objects of products, given by SKU; no workflow is started."""
    owner = User(
        id=caller.customer,
        issuer="tests",
        subject=caller.customer,
        roles=sorted(caller.roles),
        groups=sorted(caller.groups),
        asserted_at=LONG_AGO,
    )
    lines = tuple(RequestedLine(sku, None if names == "all" else tuple(names)) for sku, names in items.items())
    async with sessions.begin() as session:
        await session.execute(upsert_user(owner))
        return await place(session, caller, OrderRequest(lines, label=label), now or datetime.now(UTC))


def a_shop(limits: Limits | None = None, quotas: Quotas | None = None, **settings: Any) -> ShopSettings:
    """Settings of a shop that cuts orders so, and gives its customers what these quotas say and no other limits."""
    cut, given = limits or Limits(), quotas or Quotas()
    return ShopSettings(
        max_files_per_suborder=cut.max_files,
        max_bytes_per_suborder=ByteSize(cut.max_bytes),
        max_open_orders=given.open_orders,
        max_files_per_order=given.files_per_order,
        max_bytes_per_order=ByteSize(given.bytes_per_order),
        quota_period=given.period,
        max_files_per_period=given.files_per_period,
        max_bytes_per_period=ByteSize(given.bytes_per_period),
        **settings,
    )


async def make_ready(
    sessions: Sessions, order: Order, limits: Limits | None = None, *, pieces: bool = False
) -> list[SubOrderResult]:
    """Plan, stage and publish every sub-order of an order by the real activities, without a workflow."""
    run = ActivityEnvironment().run
    count = await run(PlanningActivities(sessions, a_shop(limits)).plan_suborders, OrderRef(order_id=order.id))
    results = []
    for number in range(1, count + 1):
        staging = StagingActivities(sessions, pieces=pieces)
        staged = await run(staging.stage_files, SubOrderInput(order_id=order.id, number=number))
        publication = Publication(order_id=order.id, number=number, attempt=staged.attempt)
        results.append(await run(PublishingActivities(sessions).publish_suborder, publication))
    return results


async def place_object(
    sessions: Sessions, name: str, box: Box | None, begins: datetime, ends: datetime | None = None
) -> None:
    """Say where and when an object is."""
    west, south, east, north = (None,) * 4 if box is None else box.unrolled
    geometry = None if box is None else outline(box)
    values = {"west": west, "south": south, "east": east, "north": north, "geometry": geometry}
    times = {"begins_at": begins, "ends_at": ends or begins}
    async with sessions.begin() as session:
        where = col(CatalogueObject.name) == name
        await session.execute(sa.update(CatalogueObject).where(where).values(**values, **times))
