"""What the shell sends is what the API reads: the same order request on both sides."""

from dataclasses import fields

import pytest
import typer

from api.orders.schemas import OrderCreate
from cli.commands.order_request import body_of, request_of
from models.order_request import OrderRequest


@pytest.mark.parametrize(
    "request_",
    [
        request_of(["scenes"], None, label=None, draft=False, destination=None),
        request_of(["scenes", "maps"], None, label="Mine", draft=True, destination=None),
        request_of(["scenes"], ["winter", "summer"], label=None, draft=False, destination="exports"),
        OrderRequest(ids=("0a", "0b"), label="By ids"),
    ],
)
def test_a_request_is_the_same_after_its_way_through_the_body(request_: OrderRequest) -> None:
    assert OrderCreate.model_validate(body_of(request_)).to_request() == request_


def test_the_shell_sends_every_field_of_an_order_request() -> None:
    sent = [
        request_of(["scenes"], ["winter"], label="Mine", draft=True, destination="exports"),
        OrderRequest(ids=("0a",)),
    ]
    unset = OrderRequest()
    names = {field.name for field in fields(OrderRequest)}
    given = {name for name in names if any(getattr(request, name) != getattr(unset, name) for request in sent)}
    # What is ordered again is said by the path of a restart.
    assert given == names - {"again"}
    assert [OrderCreate.model_validate(body_of(request)).to_request() for request in sent] == sent


def test_objects_of_several_products_are_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter):
        request_of(["scenes", "maps"], ["winter"], label=None, draft=False, destination=None)
