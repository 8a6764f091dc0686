"""Planning: cuts an order into sub-orders and writes their files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import col
from temporalio import activity

from models.messages import OrderRef
from models.naming import entry_names
from models.queries import orders, selections
from models.queries.selections import SelectedFile
from models.splitting import Limits, Part, split
from models.suborder import FileState, SubOrderState
from models.tables import Order, SubOrder

_COPY = """
    COPY order_files (order_id, seq, suborder, file_id, object_name, name, path, href, media_type,
                      size_bytes, modified_ns, sha256, state)
    FROM STDIN (FORMAT BINARY)
"""
_TYPES = ["uuid", "int8", "int4", "uuid", "text", "text", "text", "text", "text", "int8", "int8", "bytea", "text"]


@dataclass(frozen=True)
class PlanningActivities:
    """Writes the plan of an order, once."""

    sessions: async_sessionmaker[AsyncSession]
    limits: Limits

    @activity.defn
    async def plan_suborders(self, order: OrderRef) -> int:
        """Plan an order and tell how many sub-orders it has; one that is planned already stays as it is."""
        async with self.sessions.begin() as session:
            # Held to the end, so that of two attempts at once the second finds the plan of the first.
            await session.execute(orders.order_by_id(order.order_id).with_for_update())
            planned = sa.select(sa.func.count()).where(col(SubOrder.order_id) == order.order_id)
            if count := (await session.execute(planned)).scalar_one():
                return count
            rows = await session.execute(selections.object_weights(order.order_id))
            weights, locations = selections.to_weights(rows)
            parts = split(weights, self.limits)
            session.add_all(_suborders(order.order_id, parts, locations))
            await session.flush()
            totals = await _write_files(session, order.order_id, parts)
            await session.execute(sa.update(Order).where(col(Order.id) == order.order_id).values(totals))
            return len(parts)


def _suborders(order_id: UUID, parts: Sequence[Part], locations: dict[str, str]) -> list[SubOrder]:
    return [
        SubOrder(
            order_id=order_id,
            number=number,
            sku=part.product,
            tier=part.tier,
            location=locations[part.product],
            state=SubOrderState.PLANNED,
            objects_total=len(part.keys),
            files_total=part.files,
            bytes_total=part.bytes,
        )
        for number, part in enumerate(parts, 1)
    ]


async def _write_files(session: AsyncSession, order_id: UUID, parts: Sequence[Part]) -> dict[str, int]:
    """COPY the files of every part, numbered through the order; gives the totals of the order."""
    raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
    seq = size = 0
    for number, part in enumerate(parts, 1):
        query = selections.selected_files_of(order_id, [UUID(str(key)) for key in part.keys])
        files = [SelectedFile(*row) for row in await session.execute(query)]
        paths = entry_names((file.object_name, file.name) for file in files)
        async with raw.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for file, path in zip(files, paths, strict=True):
                seq, size = seq + 1, size + file.size_bytes
                await copy.write_row(_row(order_id, seq, number, file, path))
        activity.heartbeat(seq)
    objects = sum(len(part.keys) for part in parts)
    return {"files_total": seq, "bytes_total": size, "objects_total": objects}


def _row(order_id: UUID, seq: int, number: int, file: SelectedFile, path: str) -> tuple[object, ...]:
    return (
        order_id,
        seq,
        number,
        file.file_id,
        file.object_name,
        file.name,
        path,
        file.href,
        file.media_type,
        file.size_bytes,
        file.modified_ns,
        file.sha256,
        FileState.PENDING,
    )
