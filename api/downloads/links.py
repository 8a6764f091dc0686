"""URLs of downloads: where something is, and the signed link that opens it without a token."""

from collections.abc import AsyncIterator
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from api.dependencies import Services
from models.download_urls import named
from models.errors import LinksUnavailable
from models.links import API, file_path, metalink_path
from models.metalink import LinkedFile
from models.pieces import Pieces
from models.queries import downloads as queries
from models.tables import Order
from services.download_lookup import linked_order

_PAGE = 2_000
"""Files asked for at once."""


def signed(services: Services, path: str, shown: str, grant: str) -> str:
    """The URL of a signed link to a path, `shown` with the name of its file. Raises LinksUnavailable without a key."""
    if not services.link_keys:
        raise LinksUnavailable
    return f"{services.public_url}{API}/links/{services.link_keys.sign(path, grant)}/{shown}"


def signed_file(services: Services, order_id: str, seq: int, name: str, grant: str) -> str:
    """The URL of a signed link to a single file. Raises LinksUnavailable."""
    path = file_path(order_id, seq)
    return signed(services, path, named(path, name), grant)


def signed_metalink(services: Services, order: Order, version: int, grant: str, part: int = 1) -> str:
    """The URL of a signed link to a Metalink, which opens all its parts. Raises LinksUnavailable."""
    return signed(
        services, metalink_path(order.id, version=version), services.metalink_path(order, version, part), grant
    )


async def order_of_link(services: Services, session: AsyncSession, link: str, path: str, order_id: UUID) -> Order:
    """The order of a signed link to a path; the connections that it takes are its owner's. Raises as `linked_order`.

    A link that we have not signed takes none.
    """
    services.askers.ask_as_last_time(order_id)
    order = await linked_order(session, services.link_keys, link, path, order_id, services.now())
    services.askers.ask_as_owner(order_id, order.customer)
    return order


async def linked_files(
    services: Services, order: Order, grant: str, *, after: int, upto: int
) -> AsyncIterator[list[tuple[int, LinkedFile]]]:
    """The files of an order behind `after` up to `upto` with their signed URLs, whether they are there yet or not.

    They come in pages of a transaction each, so that a slow reader holds no connection. Names are those of the
    archives; where folders of two archives would mix, the archive's number goes before.
    """
    mixed: set[str] | None = None
    order_id = str(order.id)  # formatted once, for it is in every URL
    for start in range(after, min(upto, order.files_total), _PAGE):
        page = queries.linked_files(order.id, after=start, upto=min(start + _PAGE, upto))
        async with services.sessions.begin() as session:
            if mixed is None:
                mixed = await mixed_folders(session, order)
            rows = (await session.execute(page)).all()
        yield [
            (
                seq,
                LinkedFile(
                    side_by_side(order, part, path, mixed),
                    size,
                    sha256,
                    signed_file(services, order_id, seq, path.rpartition("/")[2], grant),
                    Pieces.kept(*pieces),
                ),
            )
            for seq, part, path, size, sha256, *pieces in rows
        ]


async def mixed_folders(session: AsyncSession, order: Order) -> set[str]:
    """The folders, in lower case, that several archives of an order have."""
    return set((await session.execute(queries.FOLDERS_IN_SEVERAL_SUBORDERS, {"order_id": order.id})).scalars())


def side_by_side(order: Order, part: int, path: str, mixed: set[str]) -> str:
    """The name of something of an archive where those of several lie in one folder."""
    if mixed and path.partition("/")[0].lower() in mixed:
        return f"{order.number}_{part}/{path}"
    return path
