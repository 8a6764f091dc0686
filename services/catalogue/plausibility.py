"""What an import does not believe without being told: that most of a product is gone, or that it is somewhere else."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models.errors import Refusal
from models.text import shown
from services.catalogue.source_contents import FoundProduct

MAX_LOSS: Final = 10
"""So many objects may go at once, or a tenth of the product if that is more."""
_SHOWN: Final = 3

_LOST: Final = sa.text("""
    WITH objects AS (
        SELECT object_name, EXISTS (SELECT FROM incoming i WHERE i.object_name = k.object_name) AS found
        FROM known k GROUP BY object_name
    )
    SELECT count(*) FILTER (WHERE NOT found), count(*),
        (array_agg(object_name ORDER BY object_name) FILTER (WHERE NOT found))[1\\:3]
    FROM objects
""")

# Names alone prove little: every camera has its IMG_0001.
_COMMON: Final = sa.text("""
    SELECT count(i.name), count(*)
    FROM known k LEFT JOIN incoming i ON (i.object_name, i.name, i.size_bytes) = (k.object_name, k.name, k.size_bytes)
""")


async def check_loss(session: AsyncSession, found: FoundProduct) -> None:
    """Compare the tables `incoming` and `known`. Raises Refusal where too many objects would be withdrawn."""
    lost, known, names = (await session.execute(_LOST)).one()
    if lost > MAX_LOSS and lost * 10 > known:
        listed = shown(", ".join(names)) + (" and more" if lost > _SHOWN else "")
        raise Refusal(
            f"{lost:,} of its {known:,} objects are no longer in {shown(found.location)} ({listed}); is all of it "
            "mounted? Nothing of the product was changed. If they are really gone, give --allow-withdrawals"
        )


async def check_move(session: AsyncSession, found: FoundProduct, moved_from: str) -> None:
    """Compare the same. Raises Refusal where a product would be at a place that has less than half of its files."""
    common, known = (await session.execute(_COMMON)).one()
    if common * 2 < known:
        raise Refusal(
            f"the catalogue has this SKU at {shown(moved_from)}, and {shown(found.location)} holds {common:,} of "
            f"its {known:,} files. Nothing of the product was changed. If this is another product, give it another "
            "--sku; if it has moved here, give --moved"
        )
