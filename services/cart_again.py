"""Puts into a cart what can still be had of an old order, and tells what is gone of it."""

from models.cart import SelectionKind, Unaddable
from models.errors import FailureCode, Fault, NothingAdded
from models.tables import Order
from services.cart_adding import MAX_TOLD, Added, CartFiller, Unadded
from services.order_lines import Missing, look_again, missing_among
from services.storage_check import StorageCheck


async def add_order(filler: CartFiller, old: Order, check: StorageCheck) -> Added:
    """Add what an order was of, as one selection; the same is left out as of an order placed again.

    Raises NothingAdded where all of it is gone, or QuotaExceeded.
    """
    lines, warnings = await look_again(filler.session, old, filler.caller.admitted, check)
    gone = missing_among(warnings)
    names = {
        str(key): f"{line.product.sku}/{name}"
        for line in lines
        for key, name in [*line.objects.items(), *((file, name) for file, (_, name) in line.files.items())]
    }
    if not names:
        raise NothingAdded(gone[:MAX_TOLD] or [_of_nothing(old)])
    keys = list(names)
    added = await filler.add_keys(SelectionKind.ORDER, keys, {"order": old.number}, ids=True, names=False)
    refused = [
        one._replace(position=None, key=names[keys[one.position - 1]]) if one.position else one for one in added.unadded
    ]
    told = [*(_unadded(missing) for missing in gone), *refused]
    return Added(added.view, added.selection, added.added, told[:MAX_TOLD], len(gone) + added.unadded_total)


def _unadded(missing: Missing) -> Unadded:
    unknown = missing.code == FailureCode.UNKNOWN_ID
    reason = Unaddable.UNKNOWN if unknown else Unaddable.NOTHING_ORDERABLE
    return Unadded(None, missing.field, reason, missing.text)


def _of_nothing(old: Order) -> Fault:
    return Fault(field="order", code=Unaddable.UNKNOWN, text=f"nothing of {old.number} can be ordered any more")
