"""Saving destinations: their bodies, checked with every fault at once, and how they are shown. Never with a secret."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from api.dependencies import Caller
from api.schemas import Body, FailurePublic
from models.destination import (
    DEFAULT_PREFIX,
    Credentials,
    DestinationKind,
    Place,
    name_faults,
    owner_of,
    place_faults,
    prefix_faults,
)
from models.errors import Fault, InvalidDestination, NameTaken
from models.tables import Delivery, Destination
from storage.targets.registry import DeliveryTargets
from storage.vault import NoKey

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
    """Your destinations, by name."""

    items: list[DestinationPublic]


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


class DeliveriesPublic(BaseModel):
    """Where an order's archives go, and what became of each so far; what is not listed is waited for."""

    destination: str | None
    items: list[DeliveryPublic]


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
    )


async def save(
    session: AsyncSession,
    caller: Caller,
    delivery_targets: DeliveryTargets,
    body: LocalDestinationCreate | S3DestinationCreate,
) -> Destination:
    """Save a destination. Raises InvalidDestination with every fault, or NameTaken."""
    place = Place.model_validate(body.model_dump(include=set(Place.model_fields)))
    faults = name_faults(body.name) + place_faults(place, delivery_targets.allowed) + prefix_faults(body.prefix)
    sealed, more = _sealed(caller, delivery_targets, body)
    if faults := faults + more:
        raise InvalidDestination(faults)
    values: dict[str, Any] = place.model_dump() | {"customer": caller.customer, "name": body.name}
    statement = insert(Destination).values(**values, prefix=body.prefix, credentials=sealed)
    statement = statement.on_conflict_do_nothing(index_elements=[col(Destination.customer), col(Destination.name)])
    row = (await session.execute(statement.returning(Destination))).scalar_one_or_none()
    if row is None:
        raise NameTaken(body.name)
    return row


def _sealed(
    caller: Caller, delivery_targets: DeliveryTargets, body: LocalDestinationCreate | S3DestinationCreate
) -> tuple[str | None, list[Fault]]:
    """The credentials, encrypted for this destination alone."""
    if not isinstance(body, S3DestinationCreate):
        return None, []
    found = Credentials.model_validate(body.model_dump(include=set(Credentials.model_fields)))
    if not found.is_plain:
        text = "credentials are plain ASCII without control characters"
        return None, [Fault(field="secret_access_key", code="credentials_unusable", text=text)]
    try:
        sealed = delivery_targets.vault.seal(found.revealed(), owner_of(caller.customer, body.name))
    except NoKey:
        text = "this server keeps no credentials: its operator has to set CONSIGNOR_DELIVERY_KEYS"
        return None, [Fault(field="secret_access_key", code="credentials_not_kept", text=text)]
    return sealed, []
