"""What people write on orders: labels, tags and notes; how they are kept, and who reads and changes them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from models.access import Caller, Permission
from models.annotations import Visibility, distinct_tags, note_faults, tag_faults
from models.errors import Forbidden, InvalidOrder, LabelTaken, NotFound
from models.labels import label_faults
from models.queries import annotations as queries
from models.tables import Note, NoteWording, Order
from models.text import tidied
from services.numbers import NOTES, WORDINGS, require_room
from services.order_lookup import get_owned, get_visible


async def change_order(
    sessions: async_sessionmaker[AsyncSession],
    caller: Caller,
    order_id: UUID,
    fields: Mapping[str, Any],
    expect: Callable[[Order], None],
) -> Order:
    """Change label and tags of an order; `expect` raises where it is not the version that the caller means.

    Raises NotFound, Forbidden, InvalidOrder, LabelTaken, or what `expect` raises.
    """
    if "label" in fields:
        fields = {**fields, "label": tidied(fields["label"])}
    if faults := [*label_faults(fields.get("label", "-")), *tag_faults(fields.get("tags", []))]:
        raise InvalidOrder(faults)
    try:
        async with sessions.begin() as session:
            order = await get_owned(session, caller, order_id)
            # Locked before it is compared: nothing may change between the comparison and the change.
            await session.refresh(order, with_for_update=True)
            expect(order)
            _change(order, fields)
            session.add(order)
    except IntegrityError:
        # Nothing else about these columns can be wrong: the label is another order's.
        raise LabelTaken(fields["label"]) from None
    return order


def _change(order: Order, fields: Mapping[str, Any]) -> None:
    before = order.label, order.tags
    order.label = fields.get("label", order.label)
    order.tags = distinct_tags(fields.get("tags", order.tags))
    if (order.label, order.tags) != before:
        order.revision += 1


async def write_note(
    session: AsyncSession, caller: Caller, order_id: UUID, text: str, visibility: Visibility, now: datetime
) -> Note:
    """Write a note on an order that the caller may see.

    Raises NotFound, Forbidden, InvalidOrder, or QuotaExceeded where the order has as many as it may.
    """
    text = tidied(text, lines=True)
    _check(caller, text, visibility)
    order = await get_visible(session, caller, order_id)
    # Locked against its deletion.
    await session.refresh(order, with_for_update={"key_share": True})
    await require_room(session, NOTES, order_id)
    author = f"{'operator' if caller.sees_everything else 'customer'}:{caller.customer}"
    note = Note(order_id=order_id, author=author, visibility=visibility, text=text, written_at=now)
    session.add(note)
    await session.flush()
    return note


async def edit_note(
    session: AsyncSession,
    caller: Caller,
    order_id: UUID,
    note_id: UUID,
    text: str,
    visibility: Visibility | None,
    now: datetime,
) -> Note:
    """Give a note another wording; the earlier one is kept.

    Raises NotFound, InvalidOrder, QuotaExceeded where it was edited too often, or Forbidden to all but its author.
    """
    note = await get_note(session, caller, order_id, note_id)
    if not _is_author(caller, note):
        raise Forbidden("edit a note", ["its author"])
    # Locked, so that wordings are numbered without a gap.
    await session.refresh(note, with_for_update=True)
    text, visibility = tidied(text, lines=True), visibility or Visibility(note.visibility)
    _check(caller, text, visibility)
    if (note.text, note.visibility) != (text, visibility):
        await require_room(session, WORDINGS, note_id)
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
        note.text, note.visibility, note.edited_at = text, visibility, now
        session.add(note)
        await session.flush()
    return note


async def delete_note(session: AsyncSession, caller: Caller, order_id: UUID, note_id: UUID) -> None:
    """Delete a note and its earlier wordings. Raises NotFound, or Forbidden for all but author and administrators."""
    note = await get_note(session, caller, order_id, note_id)
    if not _is_author(caller, note):
        caller.require(Permission.COMMAND_ALL)
    await session.delete(note)


async def get_note(session: AsyncSession, caller: Caller, order_id: UUID, note_id: UUID) -> Note:
    """Get a note that the caller may read. Raises NotFound."""
    await get_visible(session, caller, order_id)
    query = queries.note(order_id, note_id, operator=caller.sees_everything)
    note = (await session.execute(query)).scalar_one_or_none()
    if note is None:
        raise NotFound("note", note_id)
    return note


async def wordings_of(session: AsyncSession, caller: Caller, note: Note) -> Sequence[NoteWording]:
    """What a note said before, as far as the caller may read that, oldest first."""
    return (await session.execute(queries.wordings_of(note.id, operator=caller.sees_everything))).scalars().all()


async def notes_of(
    session: AsyncSession, caller: Caller, order_id: UUID, after: UUID | None, limit: int
) -> Sequence[Note]:
    """A page of the notes on an order that the caller may read, in the order they were written. Raises NotFound."""
    await get_visible(session, caller, order_id)
    query = queries.notes_of(order_id, operator=caller.sees_everything, after=after, limit=limit)
    return (await session.execute(query)).scalars().all()


def _is_author(caller: Caller, note: Note) -> bool:
    return note.author.partition(":")[2] == caller.customer


def _check(caller: Caller, text: str, visibility: Visibility) -> None:
    if visibility is Visibility.OPERATORS and not caller.sees_everything:
        raise Forbidden("write for operators alone", ["support", "admin"])
    if faults := note_faults(text):
        raise InvalidOrder(faults)
