"""The registry of delivery targets: it finds the target that takes the archives of a destination."""

from dataclasses import dataclass, field

from models.destination import (
    Credentials,
    DestinationAllowlist,
    DestinationKind,
    DestinationLocation,
    customer_of,
    place_faults,
)
from models.errors import Failed, FailureCode
from models.naming import DEFAULT_ARCHIVE_FILENAME
from storage.targets.local import LocalTarget
from storage.targets.protocol import Target
from storage.targets.s3 import S3Target
from storage.vault import Vault


@dataclass(frozen=True)
class DeliveryTargets:
    """What the operator has set up for deliveries: what is allowed, the keys, and how archives are named."""

    allowed: DestinationAllowlist = field(default_factory=DestinationAllowlist)
    vault: Vault = field(default_factory=Vault)
    filename: str = DEFAULT_ARCHIVE_FILENAME

    def root_of(self, place: DestinationLocation, owner: str) -> str | None:
        """Return the root, of those allowed, that a folder lies below; None for a bucket."""
        return self.allowed.of(customer_of(owner)).root_of(place.folder) if place.folder else None

    def target(self, place: DestinationLocation, sealed: str | None, owner: str) -> Target:
        """Return the target at a location, given its sealed credentials. Raises Failed (`destination_refused`)."""
        # What was allowed when it was saved may be so no longer.
        allowed = self.allowed.of(customer_of(owner))
        if faults := place_faults(place, allowed):
            raise Failed(FailureCode.DESTINATION_REFUSED, faults[0].text)
        if place.kind is DestinationKind.LOCAL:
            return LocalTarget(place.folder or "", allowed.root_of(place.folder or "") or "")
        credentials = Credentials.model_validate_json(self.vault.open(sealed or "", owner))
        return S3Target(place, credentials)
