"""What the shell sends is what the API reads: the same order request on both sides."""

from dataclasses import fields

import pytest
import typer

from api.cart.schemas import CartOrder
from api.orders.schemas import OrderCreate
from cli.commands.order_request import body_of, request_of, request_of_cart
from models.failure_policy import OnMissing
from models.order_request import OrderRequest


def asked(
    products: list[str],
    objects: list[str] | None = None,
    *,
    label: str | None = None,
    draft: bool = False,
    destination: str | None = None,
    on_missing: OnMissing | None = None,
    max_failed_percent: float | None = None,
    coupon: str | None = None,
    country: str | None = None,
) -> OrderRequest:
    """What options come to; those that are not given say nothing."""
    return request_of(
        products,
        objects,
        label=label,
        draft=draft,
        destination=destination,
        on_missing=on_missing,
        max_failed_percent=max_failed_percent,
        coupon=coupon,
        country=country,
    )


@pytest.mark.parametrize(
    "request_",
    [
        asked(["scenes"]),
        asked(["scenes", "maps"], label="Mine", draft=True, max_failed_percent=0.1),
        asked(["scenes"], ["winter", "summer"], destination="exports", on_missing=OnMissing.REFUSE),
        OrderRequest(ids=("0a", "0b"), label="By ids"),
    ],
)
def test_a_request_is_the_same_after_its_way_through_the_body(request_: OrderRequest) -> None:
    assert OrderCreate.model_validate(body_of(request_)).to_request() == request_


def test_the_shell_sends_every_field_of_an_order_request() -> None:
    sent = [
        asked(
            ["scenes"],
            ["winter"],
            label="Mine",
            draft=True,
            destination="exports",
            on_missing=OnMissing.REFUSE,
            max_failed_percent=12.5,
            coupon="SAVE10",
            country="FR",
        ),
        OrderRequest(ids=("0a",)),
    ]
    unset = OrderRequest()
    names = {field.name for field in fields(OrderRequest)}
    given = {name for name in names if any(getattr(request, name) != getattr(unset, name) for request in sent)}
    # What is ordered again is said by the path of a restart, and the cart has paths of its own.
    assert given == names - {"again", "cart"}
    assert [OrderCreate.model_validate(body_of(request)).to_request() for request in sent] == sent


def test_an_order_of_the_cart_says_all_that_other_orders_say() -> None:
    terms = {"label": "Mine", "draft": True, "destination": "exports", "coupon": "SAVE10", "country": "FR"}
    request = request_of_cart(**terms, on_missing=OnMissing.REFUSE, max_failed_percent=12.5)  # type: ignore[arg-type]
    assert CartOrder.model_validate(body_of(request)).to_request() == request
    unset = OrderRequest()
    assert {field.name for field in fields(request) if getattr(request, field.name) == getattr(unset, field.name)} == {
        "lines",
        "ids",
        "again",
    }


def test_objects_of_several_products_are_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter):
        asked(["scenes", "maps"], ["winter"])
