"""The search attributes by which platform engineers find orders in the Temporal UI; declared in temporal-dev.yaml."""

from hashlib import sha256

from temporalio.common import SearchAttributeKey

STATUS = SearchAttributeKey.for_keyword("ConsignorStatus")
CUSTOMER = SearchAttributeKey.for_keyword("ConsignorCustomer")
NUMBER = SearchAttributeKey.for_keyword("ConsignorNumber")
SKUS = SearchAttributeKey.for_keyword_list("ConsignorSkus")
BYTES = SearchAttributeKey.for_int("ConsignorBytes")
ERRORS = SearchAttributeKey.for_int("ConsignorErrors")


def opaque(customer: str) -> str:
    """A customer as Temporal may know them: always the same, and nobody's name or address."""
    return sha256(b"consignor-customer:" + customer.encode()).hexdigest()[:16]
