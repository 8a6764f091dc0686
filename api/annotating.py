"""What people write on orders: labels, tags and notes; how notes are kept, shown and read."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import Caller, Services
from api.http.etags import require_match
from api.orders.lookup import get_owned, state_of
from api.orders.schemas import OrderChange
from api.schemas import Body
from models.access import Permission
from models.annotations import MAX_NOTE_CHARACTERS, MAX_NOTES, Visibility, note_faults, tag_faults
from models.errors import Fault, Forbidden, InvalidOrder, LabelTaken, NotFound, QuotaExceeded
from models.labels import label_faults
from models.queries import annotations as queries
from models.queries import orders
from models.tables import Note, NoteWording, Order

_Text = Annotated[str, Field(max_length=10 * MAX_NOTE_CHARACTERS)]
_WHO = "`operators` is for operators alone, `customer` for the order's customer too."


class NoteCreate(Body):
    """A note."""

    text: _Text = Field(description=f"At most {MAX_NOTE_CHARACTERS} characters; line ends and tabs are kept.")
    # Strict bodies take words for enums only where that is said.
    visibility: Annotated[Visibility, Field(strict=False, description=_WHO)] = Visibility.CUSTOMER


class NoteChange(Body):
    """A new wording of a note, for other readers where that is said."""

    text: _Text
    visibility: Annotated[Visibility, Field(strict=False, description=_WHO)] | None = None


class NoteWordingPublic(BaseModel):
    """What a note said before."""

    text: str
    visibility: Visibility
    written_at: datetime


class NotePublic(BaseModel):
    """A note."""

    id: UUID
    author: str
    visibility: Visibility
    text: str
    written_at: datetime
    edited_at: datetime | None


class NoteDetail(NotePublic):
    """A note with its earlier wordings, oldest first."""

    history: list[NoteWordingPublic]


class NotesPublic(BaseModel):
    """The notes on an order that you may read, in the order they were written."""

    items: list[NotePublic]


async def change(services: Services, caller: Caller, request: Request, order_id: UUID, body: OrderChange) -> Order:
    """Change label and tags. Raises NotFound, Forbidden, PreconditionFailed, InvalidOrder or LabelTaken."""
    given = body.model_dump(include=body.model_fields_set)
    if faults := [*label_faults(given.get("label", "-")), *tag_faults(given.get("tags", []))]:
        raise InvalidOrder(faults)
    try:
        async with services.sessions.begin() as session:
            order = await get_owned(session, caller, order_id)
            await session.refresh(order, with_for_update=True)
            require_match(request, state_of(order))
            _change(order, given)
            session.add(order)
    except IntegrityError:
        # Nothing else about these columns can be wrong: the label is another order's.
        raise LabelTaken(body.label) from None
    return order


def _change(order: Order, given: dict[str, Any]) -> None:
    before = order.label, order.tags
    order.label = given.get("label", order.label)
    order.tags = list(dict.fromkeys(given.get("tags", order.tags)))
    if (order.label, order.tags) != before:
        order.revision += 1


def is_operator(caller: Caller) -> bool:
    """Whether the caller reads and writes notes for operators: whoever sees everybody's orders."""
    return caller.visibility.customer is None


async def seen(session: AsyncSession, caller: Caller, order_id: UUID) -> Order:
    """An order that the caller may see, which is enough to write a note on it. Raises NotFound."""
    order = (await session.execute(orders.order_of(caller.visibility, order_id))).scalar_one_or_none()
    if order is None:
        raise NotFound("order", order_id)
    return order


async def write(session: AsyncSession, caller: Caller, order_id: UUID, body: NoteCreate, now: datetime) -> NotePublic:
    """Write a note. Raises NotFound, Forbidden, InvalidOrder, or QuotaExceeded where there are very many."""
    _check(caller, body.text, body.visibility)
    order = await seen(session, caller, order_id)
    await session.refresh(order, with_for_update={"key_share": True})
    if (await session.execute(queries.notes_counted(order_id))).scalar_one() >= MAX_NOTES:
        text = f"an order has at most {MAX_NOTES} notes; edit one, or delete some"
        raise QuotaExceeded([Fault(field="order", code="too_many_notes", text=text)])
    author = f"{'operator' if is_operator(caller) else 'customer'}:{caller.customer}"
    note = Note(order_id=order_id, author=author, visibility=body.visibility, text=body.text, written_at=now)
    session.add(note)
    await session.flush()
    return note_public(note)


async def edit(
    session: AsyncSession, caller: Caller, order_id: UUID, note_id: UUID, body: NoteChange, now: datetime
) -> NoteDetail:
    """Say it anew; what it said is kept. Raises NotFound, Forbidden where it is somebody else's, InvalidOrder."""
    note = await found(session, caller, order_id, note_id)
    if not _is_author(caller, note):
        raise Forbidden("edit a note", ["its author"])
    await session.refresh(note, with_for_update=True)
    visibility = body.visibility or Visibility(note.visibility)
    _check(caller, body.text, visibility)
    if (note.text, note.visibility) != (body.text, visibility):
        number = (await session.execute(queries.last_wording(note_id))).scalar_one() + 1
        session.add(
            NoteWording(
                note_id=note_id,
                sequence=number,
                visibility=note.visibility,
                text=note.text,
                written_at=note.edited_at or note.written_at,
            )
        )
        note.text, note.visibility, note.edited_at = body.text, visibility, now
        session.add(note)
        await session.flush()
    return await detail(session, caller, note)


async def remove(session: AsyncSession, caller: Caller, order_id: UUID, note_id: UUID) -> None:
    """Delete a note and its earlier wordings. Raises NotFound, or Forbidden for all but author and administrators."""
    note = await found(session, caller, order_id, note_id)
    if not _is_author(caller, note):
        caller.require(Permission.COMMAND_ALL)
    await session.delete(note)


async def found(session: AsyncSession, caller: Caller, order_id: UUID, note_id: UUID) -> Note:
    """A note that the caller may read. Raises NotFound."""
    await seen(session, caller, order_id)
    query = queries.note(order_id, note_id, operator=is_operator(caller))
    note = (await session.execute(query)).scalar_one_or_none()
    if note is None:
        raise NotFound("note", note_id)
    return note


async def detail(session: AsyncSession, caller: Caller, note: Note) -> NoteDetail:
    """A note with what it said before, as far as the caller may read that."""
    rows = (await session.execute(queries.wordings_of(note.id, operator=is_operator(caller)))).scalars()
    history = [NoteWordingPublic.model_validate(row, from_attributes=True) for row in rows]
    return NoteDetail(**note_public(note).model_dump(), history=history)


def note_public(note: Note) -> NotePublic:
    """A note."""
    return NotePublic.model_validate(note, from_attributes=True)


def _is_author(caller: Caller, note: Note) -> bool:
    return note.author.partition(":")[2] == caller.customer


def _check(caller: Caller, text: str, visibility: Visibility) -> None:
    if visibility is Visibility.OPERATORS and not is_operator(caller):
        raise Forbidden("write for operators alone", ["support", "admin"])
    if faults := note_faults(text):
        raise InvalidOrder(faults)
