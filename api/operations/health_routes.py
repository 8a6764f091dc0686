"""Routes for probes: whether this process is alive and can do its work; and what its bare address shows."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from api.http.answers import DATABASE_UNAVAILABLE, DRAINING, answers
from api.operations.state import OperationsServicesDep
from api.problems import problem
from database.readiness import look
from migrations.head import head

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    """The process serves."""

    status: str = "ok"


class Readiness(BaseModel):
    """The process can do its work; `degraded` while Temporal is unavailable: orders are accepted and started later."""

    status: str = "ready"
    degraded: bool


@router.get("/", name="front", include_in_schema=False)
async def front(request: Request) -> RedirectResponse:
    """Redirect the bare address to the documentation."""
    return RedirectResponse(f"{request.scope['root_path']}/docs", 303)


@router.get("/healthz", name="healthz")
async def healthz() -> Alive:
    """The process serves requests."""
    return Alive()


@router.get("/readyz", name="readyz", response_model=Readiness)
@answers(DATABASE_UNAVAILABLE, DRAINING)
async def readyz(services: OperationsServicesDep) -> Response | Readiness:
    """The database answers and is migrated, and the process is not about to stop."""
    if services.operations.draining.started:
        return problem(503, "draining", "This process is about to stop.")
    async with services.sessions.begin() as session:
        unready = (await look(session)).unready(head())
    if unready:
        return problem(503, "not_migrated", f"{unready}.")
    return Readiness(degraded=services.operations.temporal_health.unavailable)
