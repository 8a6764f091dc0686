"""What the servers depend on: PostgreSQL and its clock, the storage that is catalogued, the issuer and the API."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Thread

import httpx2 as httpx
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from cli.doctor.finding import Finding
from database.engine import make_engine
from database.readiness import check
from migrations.head import head
from models.destination import base_of
from models.errors import Failed
from models.tables import Product
from storage.sources.registry import Sources

PATIENCE = 5.0
"""Seconds that each of them has for an answer."""

CLOCK_WARNING, CLOCK_FAILED = 5.0, 60.0
"""Seconds apart; tokens are refused, and links end, when clocks differ."""

_LISTED = 5


async def look_at_database(url: str) -> AsyncIterator[Finding]:
    """Look at the database, and by it at the clock and at the places of what is catalogued."""
    unready = await check(url, head())
    if unready:
        yield Finding.failed("Database", unready.reason, unready.remedy)
        return
    engine = make_engine(url, pool_size=1)
    try:
        async with engine.connect() as connection:
            before = datetime.now(UTC)
            version = (await connection.execute(sa.text("SHOW server_version"))).scalar_one()
            theirs = (await connection.execute(sa.text("SELECT clock_timestamp()"))).scalar_one()
            yield Finding.ok("Database", f"PostgreSQL {version.partition(' ')[0]}, migrated to {head()}")
            yield clock("the database's", (theirs - before).total_seconds())
            query = sa.select(col(Product.location), sa.func.min(col(Product.sku))).group_by(col(Product.location))
            places = {row[0]: row[1] for row in (await connection.execute(query)).all()}
    except DBAPIError as error:
        yield Finding.broken_off("Database", error)
        return
    finally:
        await engine.dispose()
    yield await storage(places, Sources())


def clock(whose: str, apart: float) -> Finding:
    """Whether this machine's clock and another's agree."""
    text = f"{abs(apart):.1f} s {'behind' if apart > 0 else 'ahead of'} {whose}"
    if abs(apart) < CLOCK_WARNING:
        return Finding.ok("Clock", f"as {whose}, to {CLOCK_WARNING:.0f} s")
    remedy = "set both by NTP: tokens are refused and links end too early or late"
    return (Finding.failed if abs(apart) > CLOCK_FAILED else Finding.warning)("Clock", text, remedy)


async def storage(places: dict[str, str], sources: Sources, patience: float = PATIENCE) -> Finding:
    """Whether this process can read where the products' files are."""
    if not places:
        return Finding.warning("Storage", "nothing is catalogued yet", "`consignor catalog import FOLDER`")
    answers = await asyncio.gather(*(_unreadable(sources, place, patience) for place in places))
    wrong = [f"{sku} at {place} ({why})" for (place, sku), why in zip(places.items(), answers, strict=True) if why]
    if not wrong:
        return Finding.ok("Storage", f"all {len(places)} locations of products can be read")
    more = f" and {len(wrong) - _LISTED} more" if len(wrong) > _LISTED else ""
    remedy = "mount it here as it was when it was imported, or `consignor catalog import --moved`"
    return Finding.failed("Storage", f"cannot be read: {', '.join(wrong[:_LISTED])}{more}", remedy)


async def _unreadable(sources: Sources, place: str, patience: float) -> str | None:
    """Why a location cannot be read; a mount that hangs keeps a thread, but neither us nor the end of the process."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str | None] = loop.create_future()

    def tell(found: str | None) -> None:
        if not answer.done():
            answer.set_result(found)

    def look() -> None:
        try:
            sources.at(place).check_available()
            found = None
        except Failed as failed:
            found = str(failed)
        # Too late, when the loop has ended without this answer.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(tell, found)

    Thread(target=look, daemon=True).start()
    try:
        return await asyncio.wait_for(answer, patience)
    except TimeoutError:
        return f"no answer within {patience:.0f} s"


def delivery_roots(roots: tuple[Path, ...]) -> list[Finding]:
    """Whether archives can be delivered below the roots."""
    found = []
    # Below a root of each customer's own only the part before any customer has to be there.
    for root in (Path(base_of(str(root))) for root in roots):
        if not root.is_dir():
            found.append(Finding.failed("Delivery root", f"{root} is no folder", "make it, or take it out"))
        elif not os.access(root, os.W_OK | os.X_OK):
            found.append(Finding.failed("Delivery root", f"{root} cannot be written to", "give it to this user"))
        else:
            found.append(Finding.ok("Delivery root", str(root)))
    return found


async def look_at_issuer(http: httpx.AsyncClient, issuer: str) -> AsyncIterator[Finding]:
    """Whether the identity provider says of itself what the API needs."""
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        before = datetime.now(UTC)
        answer = await http.get(url)
        said = answer.raise_for_status().json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        text = f"{url} does not answer as it should ({error or type(error).__name__})"
        yield Finding.failed("Issuer", text, "correct CONSIGNOR_OIDC_ISSUER, or let this machine reach it")
        return
    if not isinstance(said, dict) or said.get("issuer") != issuer:
        named = said.get("issuer") if isinstance(said, dict) else None
        yield Finding.failed("Issuer", f"it calls itself {named}", "write CONSIGNOR_OIDC_ISSUER exactly like that")
        return
    yield Finding.ok("Issuer", issuer)
    with suppress(ValueError):
        yield clock("the issuer's", (parsedate_to_datetime(answer.headers.get("date", "")) - before).total_seconds())


async def look_at_api(http: httpx.AsyncClient, url: str) -> Finding:
    """Whether an API answers there, and is ready."""
    try:
        answer = await http.get(f"{url}/readyz")
        said = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        text = f"{url} does not answer ({error or type(error).__name__})"
        return Finding.warning("API", text, "`consignor api`, or correct CONSIGNOR_PUBLIC_URL")
    if answer.status_code != httpx.codes.OK:
        return Finding.failed("API", f"{url} says {said.get('detail')}", "mend that; it needs no restart")
    if said.get("degraded"):
        return Finding.warning("API", f"{url} is ready, without Temporal", "look at Temporal")
    return Finding.ok("API", f"{url} is ready")
