"""What people write on orders: label, tags and notes."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.dependencies import AnnotatorDep, CallerDep, ServicesDep
from api.http.answers import CONDITIONS, ETAG, LOCATION, answers
from api.http.etags import require_match, tagged
from api.http.idempotency import IdempotentDep
from api.orders.lookup import detail_of, state_of
from api.orders.note_schemas import (
    NoteChange,
    NoteCreate,
    NoteDetail,
    NotePublic,
    NotesPublic,
    note_detail,
    note_public,
)
from api.orders.schemas import OrderChange, OrderDetail
from api.schemas import MAX_PAGE, PageCursor, PageLimit
from models.errors import InvalidCursor, InvalidOrder, LabelTaken, NotFound, QuotaExceeded
from models.links import API
from models.tables import Order
from services import notes

router = APIRouter(prefix="/orders/{order_id}", tags=["orders"])


@router.patch("", name="change-order", response_model=OrderDetail)
@answers(InvalidOrder, LabelTaken, NotFound, ETAG, *CONDITIONS)
async def change_order(
    order_id: UUID, body: OrderChange, request: Request, services: ServicesDep, caller: CallerDep
) -> Response:
    """Give an order another label or other tags; with `If-Match` only if it is still as you have seen it."""
    fields = body.model_dump(include=body.model_fields_set)

    def expect(order: Order) -> None:
        require_match(request, state_of(order))

    order = await notes.change_order(services.sessions, caller, order_id, fields, expect)
    async with services.sessions.begin() as session:
        return tagged(request, await detail_of(session, services, order, caller), state_of(order), changed=True)


@router.get("/notes", name="list-notes-for-order")
@answers(InvalidCursor, NotFound)
async def list_notes(
    order_id: UUID, services: ServicesDep, caller: CallerDep, limit: PageLimit = MAX_PAGE, cursor: PageCursor = None
) -> NotesPublic:
    """The notes on an order that you may read."""
    cursors = services.cursors(caller, f"notes on {order_id}")
    after = cursors.id(cursor)
    async with services.sessions.begin() as session:
        found = await notes.notes_of(session, caller, order_id, after, limit + 1)
    page, following = cursors.cut(found, limit, "id")
    return NotesPublic(items=[note_public(note) for note in page], next_cursor=following)


@router.post("/notes", name="create-note", status_code=201, response_model=NotePublic)
@answers(InvalidOrder, NotFound, QuotaExceeded, LOCATION)
async def create_note(
    order_id: UUID, body: NoteCreate, services: ServicesDep, caller: AnnotatorDep, idempotent: IdempotentDep
) -> Response:
    """Write a note on an order that you may see."""
    async with services.sessions.begin() as session:
        if (answered := await idempotent.replay(session, caller)) is not None:
            return answered
        written = await notes.write_note(session, caller, order_id, body.text, body.visibility, services.now())
        note = note_public(written)
        where = {"Location": f"{services.public_url}{API}/orders/{order_id}/notes/{note.id}"}
        return await idempotent.respond(session, caller, note, where)


@router.get("/notes/{note_id}", name="show-note")
@answers(NotFound)
async def show_note(order_id: UUID, note_id: UUID, services: ServicesDep, caller: CallerDep) -> NoteDetail:
    """A note with what it said before it was edited."""
    async with services.sessions.begin() as session:
        note = await notes.get_note(session, caller, order_id, note_id)
        return note_detail(note, await notes.wordings_of(session, caller, note))


@router.patch("/notes/{note_id}", name="edit-note")
@answers(InvalidOrder, NotFound, QuotaExceeded)
async def edit_note(
    order_id: UUID, note_id: UUID, body: NoteChange, services: ServicesDep, caller: AnnotatorDep
) -> NoteDetail:
    """Give a note another wording; what it said before stays in its history. Only its author may."""
    async with services.sessions.begin() as session:
        note = await notes.edit_note(session, caller, order_id, note_id, body.text, body.visibility, services.now())
        return note_detail(note, await notes.wordings_of(session, caller, note))


@router.delete("/notes/{note_id}", name="delete-note", status_code=204)
@answers(NotFound)
async def delete_note(order_id: UUID, note_id: UUID, services: ServicesDep, caller: AnnotatorDep) -> None:
    """Delete a note with its history. Its author may, and an administrator."""
    async with services.sessions.begin() as session:
        await notes.delete_note(session, caller, order_id, note_id)
