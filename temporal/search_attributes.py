"""The search attributes by which platform engineers find orders in the Temporal UI; declared in temporal-dev.yaml."""

from hashlib import sha256
from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

STATUS = SearchAttributeKey.for_keyword("ConsignorStatus")
CUSTOMER = SearchAttributeKey.for_keyword("ConsignorCustomer")
NUMBER = SearchAttributeKey.for_keyword("ConsignorNumber")
SKUS = SearchAttributeKey.for_keyword_list("ConsignorSkus")
BYTES = SearchAttributeKey.for_int("ConsignorBytes")
ERRORS = SearchAttributeKey.for_int("ConsignorErrors")

ALL: tuple[SearchAttributeKey[Any], ...] = (STATUS, CUSTOMER, NUMBER, SKUS, BYTES, ERRORS)

_NOT_OURS = {RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.UNIMPLEMENTED}


class MayNotRegister(Exception):
    """The server, such as Temporal Cloud, does not let its clients list or add search attributes."""


async def register(client: Client) -> list[str]:
    """Add those that the client's namespace lacks; returns their names. Raises MayNotRegister or RPCError.

    Two processes may do so at once: what the other has added counts as added.
    """
    try:
        listed = ListSearchAttributesRequest(namespace=client.namespace)
        there = (await client.operator_service.list_search_attributes(listed)).custom_attributes
        lacking = [key for key in ALL if key.name not in there]
        missing = {key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in lacking}
        if missing:
            added = AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
            await client.operator_service.add_search_attributes(added)
    except RPCError as error:
        if error.status in _NOT_OURS:
            raise MayNotRegister(error.message) from None
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
    return list(missing)


def opaque(customer: str) -> str:
    """A customer as Temporal may know them: a stable pseudonym without name or address."""
    return sha256(b"consignor-customer:" + customer.encode()).hexdigest()[:16]
