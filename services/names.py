"""The names of people, for those who may see them."""

from collections.abc import Iterable, Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.queries.users import names_of


async def names_of_owners(session: AsyncSession, caller: Caller, customers: Iterable[str]) -> Mapping[str, str]:
    """The names of those whose orders these are, for those who see everybody's."""
    return await names_for(session, caller, customers) if caller.sees_everything else {}


async def names_for(session: AsyncSession, caller: Caller, customers: Iterable[str]) -> Mapping[str, str]:
    """The names of these customers by their id: everybody's for those who see all orders, else the caller's own."""
    asked = {customer for customer in customers if caller.sees_everything or customer == caller.customer}
    if not asked:
        return {}
    return {customer: name for customer, name in await session.execute(names_of(asked)) if name}
