"""Whether this process is alive and can do its work."""

from fastapi import APIRouter, Response
from sqlalchemy import text

from api.problems import problem
from api.services import ServicesDep

router = APIRouter(tags=["operations"])


@router.get("/healthz", name="healthz")
async def healthz() -> dict[str, str]:
    """The process serves requests."""
    return {"status": "ok"}


@router.get("/readyz", name="readyz", response_model=None)
async def readyz(services: ServicesDep) -> Response | dict[str, str]:
    """The database answers and is migrated."""
    async with services.sessions.begin() as session:
        there = (await session.execute(text("SELECT to_regclass('orders') IS NOT NULL"))).scalar_one()
    if not there:
        return problem(503, "not_migrated", "The database is not migrated; run `consignor migrate`.")
    return {"status": "ready"}
