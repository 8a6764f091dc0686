"""Commands: what may be asked of an order."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import APIRouter, Header, Response

from api import commanding
from api.ordering import place_again
from api.routes.orders import detail_of, owned, start
from api.schemas import CommandBody, ExtendBody, OrderDetail, Problem, RestartBody
from api.services import CallerDep, ServicesDep
from models.access import Permission
from models.messages import CommandRequest, Extension
from models.order import Command
from workflows.client import OrderStart

PROBLEMS = {404: {"model": Problem}, 409: {"model": Problem}, 422: {"model": Problem}, 503: {"model": Problem}}

router = APIRouter(prefix="/orders/{order_id}", tags=["commands"], responses=PROBLEMS)  # type: ignore[arg-type]

CommandId = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=200, description="The same key again has no effect."),
]


class Verb(StrEnum):
    """The commands by their names in URLs."""

    SUBMIT = "submit"
    CONFIRM_PAYMENT = "confirm-payment"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"


@router.post("/restart", name="restart-order", status_code=201)
async def restart_order(
    order_id: UUID, response: Response, services: ServicesDep, caller: CallerDep, body: RestartBody | None = None
) -> OrderDetail:
    """Order the same again, as a new order at today's prices; the old one stays as it is."""
    async with services.sessions.begin() as session:
        old = await owned(session, caller, order_id)
        order = await place_again(session, caller, old, body.label if body else None, services.now())
        detail = await detail_of(session, services, order, caller)
    await start(services, OrderStart(order, detail.products))
    response.headers["Location"] = detail.links.self
    return detail


@router.post("/extend", name="extend-order")
async def extend_order(
    order_id: UUID, body: ExtendBody, services: ServicesDep, caller: CallerDep, key: CommandId = None
) -> OrderDetail:
    """Keep an order for longer, within what its terms allow."""
    extension = Extension(
        id=_id(services, order_id, key),
        expires_at=body.expires_at,
        actor=caller.actor,
        is_operator=caller.may(Permission.EXTEND_FREELY),
    )
    return await commanding.extend(services, caller, order_id, extension)


@router.post("/{verb}", name="command-order")
async def command_order(
    order_id: UUID,
    verb: Verb,
    services: ServicesDep,
    caller: CallerDep,
    body: CommandBody | None = None,
    key: CommandId = None,
) -> OrderDetail:
    """Command an order; what its status does not allow is 409 and changes nothing."""
    said = body or CommandBody()
    request = CommandRequest(
        id=_id(services, order_id, key),
        command=Command(verb.replace("-", "_")),
        actor=caller.actor,
        reason=said.reason,
        seqs=tuple(said.files or ()),
    )
    return await commanding.command(services, caller, order_id, request)


@router.delete("", name="delete-order", status_code=204)
async def delete_order(order_id: UUID, services: ServicesDep, caller: CallerDep, key: CommandId = None) -> None:
    """Hide an order that is over from its owner."""
    request = CommandRequest(id=_id(services, order_id, key), command=Command.DELETE, actor=caller.actor)
    await commanding.command(services, caller, order_id, request)


def _id(services: ServicesDep, order_id: UUID, key: str | None) -> str:
    """The id of a command: the caller's key, or one nobody will repeat."""
    return f"key-{key}" if key else str(uuid5(order_id, services.now().isoformat()))
