"""The rights to downloads under way: a caller's, and that of whoever opens a signed link."""

from functools import partial
from uuid import UUID

from api.dependencies import Caller, Services
from api.http.lasting import LastingRight
from api.identity.rights import right_to_read
from services.download_lookup import link_still_opens


def right_of_caller(services: Services, caller: Caller) -> LastingRight:
    """The right of a caller to what they begin to download now."""
    return right_to_read(services, caller, begun_at=services.now())


def right_of_link(services: Services, link: str, order_id: UUID) -> LastingRight:
    """The right of whoever has opened a link: it ends with that of the link's maker, and when links are revoked."""
    return LastingRight(services, partial(link_still_opens, link=link, order_id=order_id))
