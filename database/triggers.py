"""The triggers of the database: all there are, on which table, and what each is for.

Revisions in `migrations/` make them and never change afterwards; `tests/database` compares this list with a migrated
database. There is a trigger only where every writer of a row, by SQL or by COPY, has to have the effect.
"""

from typing import NamedTuple


class DatabaseTrigger(NamedTuple):
    """A trigger: its table, the function it calls, the revision that made it, and what it is for."""

    table: str
    function: str
    revision: str
    purpose: str


_COUNT = "Counts orders by status in `order_counts`, so that totals of very many orders need no scan."
_WEIGH = "Keeps files, bytes, kinds and tiers of each object beside it, by which objects are searched and sorted."
_FACETS = "Counts objects by product, year, kinds and tiers in `object_counts`, so that facets of all need no scan."
_REVISE = "Counts the changes of a product's objects in `products.revision`, by which totals of carts are out of date."

TRIGGERS = {
    "orders_search": DatabaseTrigger(
        "orders", "orders_search", "0008, 0017", "Keeps the folded text that lists of orders are searched by."
    ),
    "orders_count_come": DatabaseTrigger("orders", "orders_count", "0008", _COUNT),
    "orders_count_moved": DatabaseTrigger("orders", "orders_count", "0008", _COUNT),
    "orders_count_gone": DatabaseTrigger("orders", "orders_count", "0008", _COUNT),
    "orders_count_emptied": DatabaseTrigger("orders", "orders_count", "0008", _COUNT),
    "orders_tell_insert": DatabaseTrigger(
        "orders", "tell_of_order", "0009", "Notifies the listeners of live events of a new order, at its commit."
    ),
    "orders_tell_update": DatabaseTrigger(
        "orders",
        "tell_of_order",
        "0009, 0011",
        "Notifies of a change that clients can see; of mere progress at most once a second for each order.",
    ),
    "catalogue_objects_search": DatabaseTrigger(
        "catalogue_objects", "catalogue_objects_search", "0043", "Keeps the folded text that objects are searched by."
    ),
    "catalogue_files_added": DatabaseTrigger("catalogue_files", "catalogue_files_weigh", "0043", _WEIGH),
    "catalogue_files_changed": DatabaseTrigger("catalogue_files", "catalogue_files_weigh", "0043", _WEIGH),
    "catalogue_files_removed": DatabaseTrigger("catalogue_files", "catalogue_files_weigh", "0043", _WEIGH),
    "catalogue_objects_added": DatabaseTrigger("catalogue_objects", "object_counts_added", "0043", _FACETS),
    "catalogue_objects_changed": DatabaseTrigger("catalogue_objects", "object_counts_changed", "0043", _FACETS),
    "catalogue_objects_removed": DatabaseTrigger("catalogue_objects", "object_counts_removed", "0043", _FACETS),
    "products_revision_insert": DatabaseTrigger("catalogue_objects", "product_changed", "0040", _REVISE),
    "products_revision_update": DatabaseTrigger("catalogue_objects", "product_changed", "0040", _REVISE),
    "products_revision_delete": DatabaseTrigger("catalogue_objects", "product_changed", "0040", _REVISE),
}
"""By name."""
