"""Saving destinations, checked with every fault at once; their credentials are kept encrypted."""

from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from models.destination import Credentials, DestinationLocation, name_faults, owner_of, place_faults, prefix_faults
from models.errors import Fault, InvalidDestination, NameTaken, NotFound
from models.queries import destinations as queries
from models.tables import Destination
from models.text import tidied
from services.numbers import DESTINATIONS, require_room
from storage.targets.registry import DeliveryTargets
from storage.vault import NoKey


async def save_destination(
    session: AsyncSession,
    targets: DeliveryTargets,
    customer: str,
    name: str,
    location: DestinationLocation,
    prefix: str,
    credentials: Credentials | None,
) -> Destination:
    """Save a destination. Raises InvalidDestination with every fault, NameTaken, or QuotaExceeded."""
    name, prefix = tidied(name), tidied(prefix)
    faults = name_faults(name) + place_faults(location, targets.allowed.of(customer)) + prefix_faults(prefix)
    sealed, more = _sealed(targets, credentials, owner_of(customer, name))
    if faults := faults + more:
        raise InvalidDestination(faults)
    await require_room(session, DESTINATIONS, customer)
    # Looked for by hand: destinations of older versions may differ in case alone, and their keys are sealed by name.
    if (await session.execute(queries.destination_named(customer, name))).scalar_one_or_none() is not None:
        raise NameTaken(name)
    values: dict[str, Any] = location.model_dump() | {"customer": customer, "name": name}
    statement = insert(Destination).values(**values, prefix=prefix, credentials=sealed)
    statement = statement.on_conflict_do_nothing(index_elements=[col(Destination.customer), col(Destination.name)])
    row = (await session.execute(statement.returning(Destination))).scalar_one_or_none()
    if row is None:
        raise NameTaken(name)
    return row


async def get_own_destination(session: AsyncSession, customer: str, key: str) -> Destination:
    """Get a customer's destination by id or name. Raises NotFound, also where it is somebody else's."""
    found = (await session.execute(queries.destination_of(customer, key))).scalar_one_or_none()
    if found is None:
        raise NotFound("destination", key)
    return found


def _sealed(targets: DeliveryTargets, credentials: Credentials | None, owner: str) -> tuple[str | None, list[Fault]]:
    """The credentials, encrypted for this destination alone, and what is wrong with them."""
    if credentials is None:
        return None, []
    if not credentials.is_plain:
        text = "credentials are visible ASCII without blanks at their ends"
        return None, [Fault(field="secret_access_key", code="credentials_unusable", text=text)]
    try:
        sealed = targets.vault.seal(credentials.revealed(), owner)
    except NoKey:
        text = "this server keeps no credentials: its operator has to set CONSIGNOR_DELIVERY_KEYS"
        return None, [Fault(field="secret_access_key", code="credentials_not_kept", text=text)]
    return sealed, []
