"""The shop's settings that hold now: the one place that merges environment, what admins have made, and defaults.

They are read where they are used, in the same transaction: a change holds for the next order, estimate and plan of
every process, and nothing has to be told or restarted.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from models.access import Caller
from models.errors import InvalidSettings
from models.queries import shop_settings as queries
from models.shop_settings import EffectiveSettings, ShopSettings, effective, setting_faults
from models.tables import AdminAct

SETTINGS, SHOP = "settings", "shop"
"""The kind of an act on settings, and its only subject."""


async def effective_settings(session: AsyncSession, environment: ShopSettings) -> EffectiveSettings:
    """What holds now; `environment` has set what its variables say."""
    kept = (await session.execute(queries.kept_settings())).scalar_one_or_none()
    return effective(environment, kept.values if kept else {}, kept.version if kept else 0)


async def locked_version(session: AsyncSession) -> int:
    """The version of the settings, which nobody else changes before this transaction has ended."""
    await session.execute(queries.ensure_kept())
    return (await session.execute(queries.kept_settings().with_for_update())).scalar_one().version


async def change_settings(
    session: AsyncSession, caller: Caller, environment: ShopSettings, given: Mapping[str, Any], now: datetime
) -> EffectiveSettings:
    """Set what is given, as JSON has it; None leaves it to its default again. What is left out stays.

    What is another than before is written down, with who has changed it, when, from what, to what. Raises
    InvalidSettings with every fault.
    """
    await locked_version(session)
    kept = (await session.execute(queries.kept_settings())).scalar_one()
    before, after = kept.values, {n: v for n, v in {**kept.values, **given}.items() if v is not None}
    made = effective(environment, after, kept.version + 1)
    if faults := setting_faults(environment, given, made.values):
        raise InvalidSettings(faults)
    changed = [name for name in given if before.get(name) != after.get(name)]
    if not changed:
        return effective(environment, before, kept.version)
    kept.values, kept.version = after, kept.version + 1
    changes = {name: [before.get(name), after.get(name)] for name in changed}
    session.add(AdminAct(at=now, actor=caller.actor, kind=SETTINGS, subject=SHOP, changes=changes))
    await session.flush()
    return made
