"""Routes by which somebody is signed out everywhere: oneself, or by administrators anybody."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.http.answers import answers
from api.identity.authenticate import IdentityServicesDep, TokenOwnerDep
from api.identity.schemas import SignedOutPublic
from models.access import Permission
from models.errors import NotFound
from services.credentials import sign_out_everywhere

router = APIRouter(prefix="/users", tags=["identity"])

Customer = Annotated[
    str, Path(max_length=100, description="The id of the user, as `customer` of orders and `/me` say.")
]


@router.post("/{customer}:sign-out", name="sign-out-user")
@answers(NotFound)
async def sign_out_user(customer: Customer, services: IdentityServicesDep, caller: TokenOwnerDep) -> SignedOutPublic:
    """End all sessions and access tokens of a user; yours, or anybody's for administrators."""
    if customer != caller.customer:
        caller.require(Permission.MANAGE_ALL_CREDENTIALS)
    async with services.sessions.begin() as session:
        ended = await sign_out_everywhere(session, customer, services.now())
    services.identity.forget(customer)
    return SignedOutPublic(sessions=ended.sessions, access_tokens=ended.access_tokens)
