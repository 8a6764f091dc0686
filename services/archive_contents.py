"""What the archive of a sub-order is made of, as the database knows it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from models.packaging import Contents, PackedFile, PackedFolder
from models.queries import orders


async def contents_of(session: AsyncSession, order_id: UUID, number: int) -> Contents:
    """The files and empty folders of a sub-order."""
    files = [PackedFile(*row) for row in await session.execute(orders.packed_files(order_id, number))]
    folders = [PackedFolder(*row) for row in await session.execute(orders.packed_folders(order_id, number))]
    return Contents(files, folders)
