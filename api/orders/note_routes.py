"""What people write on orders: label, tags and notes."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from api import annotating
from api.annotating import NoteChange, NoteCreate, NoteDetail, NotePublic, NotesPublic
from api.dependencies import AnnotatorDep, CallerDep, ServicesDep
from api.http.answers import CONDITIONS, ETAG, LOCATION, answers
from api.http.etags import tagged
from api.http.idempotency import IdempotentDep
from api.orders.lookup import detail_of, state_of
from api.orders.schemas import OrderChange, OrderDetail
from models.errors import InvalidOrder, LabelTaken, NotFound, QuotaExceeded
from models.links import API
from models.queries import annotations as queries

router = APIRouter(prefix="/orders/{order_id}", tags=["orders"])


@router.patch("", name="change-order", response_model=OrderDetail)
@answers(InvalidOrder, LabelTaken, NotFound, ETAG, *CONDITIONS)
async def change_order(
    order_id: UUID, body: OrderChange, request: Request, services: ServicesDep, caller: CallerDep
) -> Response:
    """Give an order another label or other tags; with `If-Match` only if it is still as you have seen it."""
    order = await annotating.change(services, caller, request, order_id, body)
    async with services.sessions.begin() as session:
        return tagged(request, await detail_of(session, services, order, caller), state_of(order), changed=True)


@router.get("/notes", name="list-notes-for-order")
@answers(NotFound)
async def list_notes(order_id: UUID, services: ServicesDep, caller: CallerDep) -> NotesPublic:
    """The notes on an order that you may read."""
    async with services.sessions.begin() as session:
        await annotating.seen(session, caller, order_id)
        rows = await session.execute(queries.notes_of(order_id, operator=annotating.is_operator(caller)))
        return NotesPublic(items=[annotating.note_public(note) for note in rows.scalars()])


@router.post("/notes", name="create-note", status_code=201, response_model=NotePublic)
@answers(InvalidOrder, NotFound, QuotaExceeded, LOCATION)
async def create_note(
    order_id: UUID, body: NoteCreate, services: ServicesDep, caller: AnnotatorDep, idempotent: IdempotentDep
) -> Response:
    """Write a note on an order that you may see."""
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        note = await annotating.write(session, caller, order_id, body, services.now())
        where = {"Location": f"{services.public_url}{API}/orders/{order_id}/notes/{note.id}"}
        return await idempotent.respond(session, caller, note, where)


@router.get("/notes/{note_id}", name="show-note")
@answers(NotFound)
async def show_note(order_id: UUID, note_id: UUID, services: ServicesDep, caller: CallerDep) -> NoteDetail:
    """A note with what it said before it was edited."""
    async with services.sessions.begin() as session:
        return await annotating.detail(session, caller, await annotating.found(session, caller, order_id, note_id))


@router.patch("/notes/{note_id}", name="edit-note")
@answers(InvalidOrder, NotFound)
async def edit_note(
    order_id: UUID, note_id: UUID, body: NoteChange, services: ServicesDep, caller: AnnotatorDep
) -> NoteDetail:
    """Say it anew; what the note said before stays in its history. Only its author may."""
    async with services.sessions.begin() as session:
        return await annotating.edit(session, caller, order_id, note_id, body, services.now())


@router.delete("/notes/{note_id}", name="delete-note", status_code=204)
@answers(NotFound)
async def delete_note(order_id: UUID, note_id: UUID, services: ServicesDep, caller: AnnotatorDep) -> None:
    """Delete a note with its history. Its author may, and an administrator."""
    async with services.sessions.begin() as session:
        await annotating.remove(session, caller, order_id, note_id)
