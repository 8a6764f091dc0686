"""Delivering as the operator has set it up, and the keys that credentials are encrypted with."""

import sqlalchemy as sa
from cryptography.fernet import InvalidToken
from sqlmodel import col

from cli.errors import CommandFailed
from cli.runtime.settings import Settings
from database.engine import make_engine, make_sessions
from models.destination import DestinationAllowlist
from models.tables import Destination
from storage.targets.registry import DeliveryTargets
from storage.vault import NoKey, Vault


def allowed_destinations(settings: Settings) -> DestinationAllowlist:
    """What the operator allows."""
    return DestinationAllowlist(
        roots=tuple(str(root) for root in settings.delivery_roots), endpoints=tuple(settings.delivery_endpoints)
    )


def delivery_targets(settings: Settings) -> DeliveryTargets:
    """What delivering needs of the settings."""
    return DeliveryTargets(allowed_destinations(settings), vault(settings), settings.archive_filename)


def vault(settings: Settings) -> Vault:
    """What keeps credentials."""
    return Vault([key.get_secret_value() for key in settings.delivery_keys])


async def rotate(settings: Settings) -> int:
    """Encrypt all credentials with the first key; tells how many. Raises CommandFailed and changes nothing."""
    engine, box = make_engine(settings.database_url), vault(settings)
    try:
        async with make_sessions(engine).begin() as session:
            query = sa.select(Destination).where(col(Destination.credentials).is_not(None)).with_for_update()
            found = (await session.execute(query)).scalars().all()
            for destination in found:
                destination.credentials = box.rotated(destination.credentials or "")
            return len(found)
    except NoKey:
        raise CommandFailed("set CONSIGNOR_DELIVERY_KEYS: the new key first, then the old ones") from None
    except InvalidToken:
        raise CommandFailed("a destination's credentials open with none of CONSIGNOR_DELIVERY_KEYS") from None
    finally:
        await engine.dispose()
