"""Whose connections and turns a request takes before it is known who asks: whoever showed the same the last time.

Without it the first look of everybody, which is who they are, waits behind that of a crowd.
"""

from collections import OrderedDict
from hashlib import blake2b

from database.fair_pool import ask_as

STRANGERS = "strangers"
"""Those who have not said yet who they are: together they are one asker."""


class KnownAskers:
    """Remembers who showed what, by its hash, of the last `most` that were shown. It gives no right, only a turn."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._customers: OrderedDict[bytes, str] = OrderedDict()

    def asker_of(self, shown: object) -> str:
        """Who showed this the last time; STRANGERS where that is not known."""
        return self._customers.get(_key(shown), STRANGERS)

    def ask_as_last_time(self, shown: object) -> None:
        """Count the connections of this task as those of whoever showed this before, if that is known."""
        if (asker := self.asker_of(shown)) != STRANGERS:
            ask_as(asker)

    def ask_as_owner(self, shown: object, customer: str) -> None:
        """Count the connections of this task from now on as those of a customer whose this has turned out to be."""
        key = _key(shown)
        self._customers[key] = customer
        self._customers.move_to_end(key)
        if len(self._customers) > self._most:
            self._customers.popitem(last=False)
        ask_as(customer)


def _key(shown: object) -> bytes:
    return blake2b(str(shown).encode("utf-8", "replace"), digest_size=16).digest()
