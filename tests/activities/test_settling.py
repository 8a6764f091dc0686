"""Settling at a million files: what becomes of each is written by a look-up, whatever PostgreSQL believes."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from models.queries.known_checksums import UPSERT_STAGED
from models.queries.suborders import SETTLE_FILES
from tests.activities.builders import Sessions, planned

FILES = {"scene": {f"{n}.tif": b"" for n in range(400)}}
SEQS = list(range(1, 301))
SET_STATE = sa.text("UPDATE order_files SET state = :state")


@pytest.mark.parametrize(
    ("statement", "state_in_statistics", "state", "columns"),
    [
        (
            SETTLE_FILES,
            "available",
            "pending",
            ("etags", "modified", "sha256s", "crcs", "piece_bytes", "pieces", "codes", "texts"),
        ),
        (UPSERT_STAGED, "pending", "available", ("etags",)),
    ],
)
async def test_files_are_looked_up_although_the_statistics_promise_none_in_that_state(
    sessions: Sessions,
    tmp_path: Path,
    statement: sa.TextClause,
    state_in_statistics: str,
    state: str,
    columns: tuple[str, ...],
) -> None:
    order = await planned(sessions, tmp_path, FILES)
    given = {"order_id": order.id, "seqs": SEQS, **{column: [] for column in columns}}
    if "number" in statement.compile().params:
        given["number"] = 1
    async with sessions.begin() as session:
        await session.execute(SET_STATE, {"state": state_in_statistics})
        await session.execute(sa.text("ANALYZE order_files"))
        await session.execute(SET_STATE, {"state": state})
        plan = "\n".join((await session.execute(sa.text(f"EXPLAIN {statement.text}"), given)).scalars())
    assert "(seq = s.seq))" in plan, plan
    assert "Seq Scan on order_files" not in plan
