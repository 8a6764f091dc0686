"""Commands: what may be asked of an order."""

from enum import StrEnum
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.dependencies import Caller, CallerDep, Services, ServicesDep
from api.http.answers import IF_MATCH, LOCATION, answers
from api.http.etags import require_match
from api.http.idempotency import IdempotentDep
from api.orders import commanding
from api.orders.lookup import detail_of, state_of
from api.orders.schemas import CommandBody, ExtendBody, OrderDetail, RestartBody
from api.orders.starting import start_workflow
from models.access import Permission
from models.errors import (
    CommandPending,
    IllegalTransition,
    InvalidOrder,
    LabelTaken,
    NotExtended,
    NotFound,
    PreconditionFailed,
    QuotaExceeded,
    TemporalUnavailable,
)
from models.messages import CommandRequest, Extension
from models.order import Command
from services.order_lookup import get_owned
from services.placing import place
from temporal.start import OrderStart

router = APIRouter(prefix="/orders/{order_id}", tags=["commands"])


class Verb(StrEnum):
    """The commands by their names in URLs."""

    SUBMIT = "submit"
    CONFIRM_PAYMENT = "confirm-payment"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    RETRY = "retry"


@router.post("/restart", name="restart-order", status_code=201, response_model=OrderDetail)
@answers(InvalidOrder, LabelTaken, NotFound, PreconditionFailed, QuotaExceeded, LOCATION, IF_MATCH)
async def restart_order(
    order_id: UUID,
    request: Request,
    services: ServicesDep,
    caller: CallerDep,
    idempotent: IdempotentDep,
    body: RestartBody | None = None,
) -> Response:
    """Order the same again, as a new order at today's prices; the old one stays as it is."""
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        old = await get_owned(session, caller, order_id)
        require_match(request, state_of(old))
        again = (body or RestartBody()).to_request(old.id)
        quotas = (await services.shop_settings(session)).quotas
        order = await place(session, caller, again, services.now(), quotas, services.storage_check)
        detail = await detail_of(session, services, order, caller)
        answer = await idempotent.respond(session, caller, detail, {"Location": detail.links.self})
    await start_workflow(services, OrderStart(order, detail.products))
    return answer


@router.post("/extend", name="extend-order", response_model=OrderDetail)
@answers(NotExtended, NotFound, PreconditionFailed, TemporalUnavailable, IF_MATCH)
async def extend_order(
    order_id: UUID,
    request: Request,
    body: ExtendBody,
    services: ServicesDep,
    caller: CallerDep,
    idempotent: IdempotentDep,
) -> Response:
    """Keep an order for longer, within what its terms allow."""
    extension = Extension(
        id=await idempotent.command_id(caller, order_id),
        expires_at=body.expires_at,
        actor=caller.actor,
        is_operator=caller.may(Permission.EXTEND_FREELY),
    )

    async def extended() -> OrderDetail:
        await _require_match(request, services, caller, order_id)
        return await commanding.extend(services, caller, order_id, extension)

    return await idempotent.run(caller, extended)


@router.post("/{verb}", name="command-order", response_model=OrderDetail)
@answers(CommandPending, IllegalTransition, InvalidOrder, NotFound, PreconditionFailed, TemporalUnavailable, IF_MATCH)
async def command_order(
    order_id: UUID,
    verb: Verb,
    request: Request,
    services: ServicesDep,
    caller: CallerDep,
    idempotent: IdempotentDep,
    body: CommandBody | None = None,
) -> Response:
    """Command an order; what its status does not allow is 409 and changes nothing."""
    said = body or CommandBody()
    asked = CommandRequest(
        id=await idempotent.command_id(caller, order_id),
        command=Command(verb.replace("-", "_")),
        actor=caller.actor,
        reason=said.reason,
        seqs=tuple(said.files or ()),
    )

    async def commanded() -> OrderDetail:
        await _require_match(request, services, caller, order_id)
        return await commanding.command(services, caller, order_id, asked)

    return await idempotent.run(caller, commanded)


@router.delete("", name="delete-order", status_code=204)
@answers(CommandPending, IllegalTransition, NotFound, PreconditionFailed, TemporalUnavailable, IF_MATCH)
async def delete_order(
    order_id: UUID, request: Request, services: ServicesDep, caller: CallerDep, idempotent: IdempotentDep
) -> Response:
    """Hide an order that is over from its owner; with `If-Match` only if it is still as you have seen it."""
    asked = CommandRequest(id=await idempotent.command_id(caller, order_id), command=Command.DELETE, actor=caller.actor)

    async def hidden() -> None:
        await _require_match(request, services, caller, order_id)
        await commanding.command(services, caller, order_id, asked)

    return await idempotent.run(caller, hidden, status=204)


async def _require_match(request: Request, services: Services, caller: Caller, order_id: UUID) -> None:
    """Raise PreconditionFailed where a command is meant for another state of the order; NotFound where there is none.

    A command that is sent again with its key is answered before: it is the one that has changed the state.
    """
    async with services.sessions.begin() as session:
        require_match(request, state_of(await get_owned(session, caller, order_id)))
