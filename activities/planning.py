"""Planning: cuts an order into sub-orders and writes their files."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from sqlmodel import col
from temporalio import activity

from activities.validation import find_deliverable
from models.errors import Failed, FailureCode
from models.labels import counted
from models.messages import OrderRef
from models.naming import file_and_folder_names
from models.queries import orders, selections
from models.queries.selections import SelectedFile
from models.shop_settings import ShopSettings
from models.splitting import Part, split
from models.suborder import FileState, SubOrderState
from models.tables import Order, SubOrder
from services.shop_settings import effective_settings
from temporal.heartbeat import heartbeating

_COPY = """
    COPY order_files (order_id, seq, suborder, file_id, object_name, name, path, href, media_type,
                      size_bytes, modified_ns, sha256, state)
    FROM STDIN (FORMAT BINARY)
"""
_COPY_FOLDERS = "COPY order_folders (order_id, seq, suborder, object_name, name, path) FROM STDIN (FORMAT BINARY)"
_FOLDER_TYPES = ["uuid", "int8", "int4", "text", "text", "text"]
_TYPES = ["uuid", "int8", "int4", "uuid", "text", "text", "text", "text", "text", "int8", "int8", "bytea", "text"]


@dataclass(frozen=True)
class PlanningActivities:
    """Writes the plan of an order, once."""

    sessions: async_sessionmaker[AsyncSession]
    shop: ShopSettings = field(default_factory=ShopSettings)

    @activity.defn
    @heartbeating()
    async def plan_suborders(self, order: OrderRef) -> int:
        """Plan an order and tell how many sub-orders it has; one that is planned already stays as it is."""
        async with self.sessions.begin() as session:
            # Held to the end, so that of two attempts at once the second finds the plan of the first.
            found = (await session.execute(orders.order_by_id(order.order_id).with_for_update())).scalar_one()
            planned = sa.select(sa.func.count()).where(col(SubOrder.order_id) == order.order_id)
            if count := (await session.execute(planned)).scalar_one():
                return count
            deliverable = await find_deliverable(session, order.order_id)
            rows = await session.execute(selections.object_weights(order.order_id, deliverable))
            weights, locations = selections.to_weights(rows)
            parts = split(weights, (await effective_settings(session, self.shop)).values.limits)
            along = await _accompanying(session, order.order_id, parts)
            session.add_all(_suborders(order.order_id, parts, locations))
            await session.flush()
            totals = await _write_files(session, order.order_id, parts, along)
            # What goes along was not ordered.
            ordered = totals["files_total"] - sum(map(len, along.values()))
            left_out = totals["files_left_out"] = max(found.files_total - ordered, 0)
            if left_out and found.failure_policy.refuses:
                text = f"{counted(left_out, 'file')} went from the catalogue while the order was planned"
                raise Failed(FailureCode.CATALOGUE_CHANGED, text)
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


async def _accompanying(session: AsyncSession, order_id: UUID, parts: Sequence[Part]) -> dict[int, list[SelectedFile]]:
    """The files of the products themselves, by the number of the part they go along with: the first of their product.

    They weigh something there, and are none of its objects.
    """
    first: dict[str, int] = {}
    for number, part in enumerate(parts, 1):
        first.setdefault(part.product, number)
    found: dict[int, list[SelectedFile]] = defaultdict(list)
    for sku, *file in await session.execute(selections.accompanying(order_id, list(first))):
        found[first[sku]].append(SelectedFile(*file))
    for number, files in found.items():
        parts[number - 1].files += len(files)
        parts[number - 1].bytes += sum(file.size_bytes for file in files)
    return found


async def _write_files(
    session: AsyncSession, order_id: UUID, parts: Sequence[Part], along: Mapping[int, Sequence[SelectedFile]]
) -> dict[str, int]:
    """COPY the files of every part, numbered through the order; gives the totals of the order."""
    raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
    seq = size = folder_seq = 0
    for number, part in enumerate(parts, 1):
        objects = [UUID(str(key)) for key in part.keys]
        selected = await session.execute(selections.selected_files_of(order_id, objects))
        files = [*(SelectedFile(*row) for row in selected), *along.get(number, ())]
        folders = [(row[0], row[1]) for row in await session.execute(selections.selected_folders_of(order_id, objects))]
        # All at once, for a folder must not take a file's name, nor a file's folder another name than the folder's.
        names = ((file.object_name, file.name) for file in files)
        paths, folder_paths = file_and_folder_names(names, folders)
        async with raw.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for file, path in zip(files, paths, strict=True):
                seq, size = seq + 1, size + file.size_bytes
                await copy.write_row(_row(order_id, seq, number, file, path))
        # Two spellings of one folder are one entry: an archive that had it twice would be doubtful to its readers.
        named = dict(zip(folder_paths, folders, strict=True))
        async with raw.cursor() as cursor, cursor.copy(_COPY_FOLDERS) as copy:
            copy.set_types(_FOLDER_TYPES)
            for path, folder in named.items():
                folder_seq += 1
                await copy.write_row((order_id, folder_seq, number, *folder, path))
    return {"files_total": seq, "bytes_total": size, "objects_total": sum(len(part.keys) for part in parts)}


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
