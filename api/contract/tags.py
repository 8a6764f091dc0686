"""What the groups of operations are about, as the OpenAPI document tells it."""

from typing import Final

TAGS: Final = {
    "orders": "Orders: placed, listed, shown, changed. Each has a status, sub-orders, files and a timeline.",
    "commands": "What may be asked of an order: submit, pause, resume, cancel, retry, restart, extend, delete.",
    "downloads": "Archives, single files and Metalinks of an order, by token or by signed link.",
    "results": "What an order has delivered, as STAC.",
    "exports": "Orders as CSV and JSON Lines.",
    "bulks": "One command for many orders, worked off in the background.",
    "views": "Saved searches for orders.",
    "payments": "Messages of payment providers.",
    "destinations": "Folders and buckets to which archives are delivered.",
    "catalogue": "Products, their objects and the files of these.",
    "cart": "Your cart: what you choose before you order it, on every device.",
    "prices": "Price lists of groups, discounts and coupons, and tax, as administrators set them.",
    "stac": "The catalogue as a STAC API, to be walked through and searched.",
    "events": "Changes of orders as they happen, as server-sent events.",
    "identity": "Who is asking: sessions of browsers and access tokens.",
    "settings": "What admins set of the shop while it runs, and what pages are made of.",
    "operations": "Whether the service works, and its figures.",
}
"""Each tag that a route has, in the order of the documentation."""
