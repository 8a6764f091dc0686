"""URLs of downloads: where something is, and the signed link that opens it without a token."""

from collections.abc import AsyncIterator

from api.dependencies import Services
from models.errors import LinksUnavailable
from models.links import API, file_path
from models.metalink import LinkedFile
from models.queries import downloads as queries
from models.tables import Order

_PAGE = 2_000
"""Files asked for at once."""


def signed(services: Services, path: str) -> str:
    """The URL of a signed link to a path. Raises LinksUnavailable where no key is set."""
    if not services.link_keys:
        raise LinksUnavailable
    return f"{services.public_url}{API}/links/{services.link_keys.sign(path)}/{path}"


async def linked_files(
    services: Services, order: Order, *, after: int, upto: int
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
                where = {"order_id": order.id}
                mixed = set((await session.execute(queries.FOLDERS_IN_SEVERAL_SUBORDERS, where)).scalars())
            rows = (await session.execute(page)).all()
        yield [
            (seq, LinkedFile(_name(order, part, path, mixed), size, sha256, signed(services, file_path(order_id, seq))))
            for seq, part, path, size, sha256 in rows
        ]


def _name(order: Order, part: int, path: str, mixed: set[str]) -> str:
    if mixed and path.partition("/")[0].lower() in mixed:
        return f"{order.number}_{part}/{path}"
    return path
