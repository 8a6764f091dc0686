"""The bodies of destinations, and how destinations and deliveries are shown. Never with a secret."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from api.schemas import Body, FailurePublic
from models.delivery_status import WaitingOn
from models.destination import DEFAULT_PREFIX, Credentials, DestinationKind, DestinationLocation
from models.tables import Delivery, Destination, SubOrder

PENDING = "pending"
"""The state of a delivery of which no row is written yet."""

Text = Annotated[str, Field(min_length=1, max_length=2000)]


class LocalDestinationCreate(Body):
    """A folder that workers can write to, below a root that the operator allows."""

    kind: Literal["local"]
    name: Text = Field(examples=["exports"])
    folder: Text = Field(examples=["/exports/maria"])
    prefix: str = Field(default=DEFAULT_PREFIX, description="Folders below it; knows `{number}` and `{label}`.")


class S3DestinationCreate(Body):
    """A bucket at AWS, or at an endpoint that the operator allows. Credentials are encrypted and never shown."""

    kind: Literal["s3"]
    name: Text = Field(examples=["my-bucket"])
    bucket: Text
    region: Text | None = None
    endpoint: Text | None = Field(default=None, examples=["https://s3.example.org"])
    prefix: str = Field(default=DEFAULT_PREFIX, description="Begins each key; knows `{number}` and `{label}`.")
    access_key_id: Annotated[SecretStr, Field(min_length=1, max_length=2000)]
    secret_access_key: Annotated[SecretStr, Field(min_length=1, max_length=2000)]
    session_token: Annotated[SecretStr, Field(min_length=1, max_length=10_000)] | None = None


DestinationCreate = Annotated[LocalDestinationCreate | S3DestinationCreate, Field(discriminator="kind")]


class DestinationPublic(BaseModel):
    """A saved destination."""

    id: UUID
    name: str
    kind: DestinationKind
    folder: str | None
    bucket: str | None
    region: str | None
    endpoint: str | None
    prefix: str
    created_at: datetime


class DestinationsPublic(BaseModel):
    """A page of your destinations, by name; `next_cursor` leads to the next one."""

    items: list[DestinationPublic]
    next_cursor: str | None


class DestinationTested(BaseModel):
    """Whether something small could be written to a destination, read back and deleted."""

    ok: bool
    failure: FailurePublic | None


class DeliveryPublic(BaseModel):
    """What became of a sub-order's delivery."""

    suborder: int
    state: str
    location: str | None
    bytes: int | None
    at: datetime
    failure: FailurePublic | None
    waiting_on: WaitingOn | None = Field(description="While it is `pending`: what is tried again by itself, and why.")


class DeliveriesPublic(BaseModel):
    """Where an order's archives go, and what became of each that is ready: `pending`, `delivered` or `failed`."""

    destination: str | None
    items: list[DeliveryPublic]
    next_cursor: str | None


def destination_public(destination: Destination) -> DestinationPublic:
    """A destination as it is shown."""
    return DestinationPublic.model_validate(destination, from_attributes=True)


def delivery_public(delivery: Delivery, failure: FailurePublic | None) -> DeliveryPublic:
    """A delivery as it is shown."""
    return DeliveryPublic(
        suborder=delivery.suborder,
        state=delivery.state,
        location=delivery.location,
        bytes=delivery.size_bytes,
        at=delivery.at,
        failure=failure,
        waiting_on=None,
    )


def pending_delivery(suborder: SubOrder, blocker: WaitingOn | None) -> DeliveryPublic:
    """A delivery that has yet to succeed or fail; `at` is when its archive was ready."""
    return DeliveryPublic(
        suborder=suborder.number,
        state=PENDING,
        location=None,
        bytes=suborder.archive_bytes,
        at=suborder.state_at,
        failure=None,
        waiting_on=blocker,
    )


def location_of(body: LocalDestinationCreate | S3DestinationCreate) -> DestinationLocation:
    """Where a body leads to."""
    return DestinationLocation.model_validate(body.model_dump(include=set(DestinationLocation.model_fields)))


def credentials_of(body: LocalDestinationCreate | S3DestinationCreate) -> Credentials | None:
    """The credentials of a bucket; a folder has none."""
    if isinstance(body, LocalDestinationCreate):
        return None
    return Credentials.model_validate(body.model_dump(include=set(Credentials.model_fields)))
