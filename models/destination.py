"""Destinations: where customers want archives delivered to, what is allowed, and how archives are called there."""

import json
import re
from collections.abc import Sequence
from enum import StrEnum
from ipaddress import ip_address
from pathlib import PurePosixPath
from string import Formatter
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

from models.errors import Fault
from models.naming import archive_filename, clean_component
from models.text import checked, fits_header, refused_character

CUSTOMER_FIELD: Final = "{customer}"
"""What stands for the customer in a root of the operator's."""

DEFAULT_PREFIX: Final = "{number}"
PREFIX_FIELDS: Final = frozenset({"number", "label"})
MAX_PREFIX: Final = 500
MAX_NAME_CHARACTERS: Final = 60
MAX_KEY_BYTES: Final = 1024
"""The longest key S3 takes (Amazon S3 User Guide, “Naming Amazon S3 objects”)."""

# Of AWS over IPv6, Alibaba, Azure and Oracle; most clouds have a link-local one.
_METADATA_SERVICES: Final = frozenset({"fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"})
_BUCKET: Final = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION: Final = re.compile(r"[a-z0-9-]{1,40}")


class DestinationKind(StrEnum):
    """What a destination is."""

    LOCAL = "local"
    S3 = "s3"


class DeliveryState(StrEnum):
    """What became of a delivery; one that has no state yet is waited for."""

    DELIVERED = "delivered"
    FAILED = "failed"


class DestinationLocation(BaseModel):
    """Where a destination is: a folder, or a bucket (of AWS, where there is no `endpoint`). Holds no secret."""

    model_config = ConfigDict(frozen=True)

    kind: DestinationKind
    folder: str | None = None
    bucket: str | None = None
    region: str | None = None
    endpoint: str | None = None

    def location(self, key: str) -> str:
        """A key of this place, as a person or a script names it."""
        return f"{self.folder}/{key}" if self.kind is DestinationKind.LOCAL else f"s3://{self.bucket}/{key}"


class Credentials(BaseModel):
    """What a customer's bucket wants to see; encrypted wherever it rests, never shown."""

    model_config = ConfigDict(frozen=True)

    access_key_id: SecretStr
    secret_access_key: SecretStr
    session_token: SecretStr | None = None

    @property
    def is_plain(self) -> bool:
        """Whether all of it can travel in a header."""
        return all(fits_header(text) for text in self._texts().values())

    def revealed(self) -> str:
        """All of it as JSON, for the vault and nobody else."""
        return json.dumps(self._texts())

    def _texts(self) -> dict[str, str]:
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: secret.get_secret_value() for name, secret in found.items() if secret is not None}


def owner_of(customer: str, name: str) -> str:
    """For whom the credentials of a destination are encrypted."""
    return f"{customer}/{name}"


def customer_of(owner: str) -> str:
    """The customer in what `owner_of` made; names have no slash."""
    return owner.rpartition("/")[0]


class DestinationAllowlist(BaseModel):
    """What the operator allows: folders below these roots, endpoints that are one of these. AWS is always allowed.

    A root with `{customer}` in it is another one for each customer, see `of`; one without is everybody's.
    """

    model_config = ConfigDict(frozen=True)

    roots: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    customer: str | None = None

    def of(self, customer: str) -> "DestinationAllowlist":
        """What a customer is allowed."""
        return self.model_copy(update={"customer": customer})

    @property
    def own_roots(self) -> tuple[str, ...]:
        """The roots that are this customer's alone."""
        own = clean_component(self.customer) if self.customer is not None else None
        return tuple(root.replace(CUSTOMER_FIELD, own) for root in self.roots if own and CUSTOMER_FIELD in root)

    @property
    def shared_roots(self) -> tuple[str, ...]:
        """The roots that all customers have in common."""
        return tuple(root for root in self.roots if CUSTOMER_FIELD not in root)

    def root_of(self, folder: str) -> str | None:
        """The root that a folder lies in, by its name alone: who opens it has to look for links that lead out.

        Of a customer's own root it is the part that is there before any customer: the rest is made for them.
        """
        path = PurePosixPath(folder)
        roots = [root for root in self.roots if self.customer is not None or CUSTOMER_FIELD not in root]
        own = clean_component(self.customer or "")
        return next((base_of(root) for root in roots if path.is_relative_to(root.replace(CUSTOMER_FIELD, own))), None)


def name_faults(name: str) -> list[Fault]:
    """What is wrong with the name of a destination."""
    try:
        name = checked(name, MAX_NAME_CHARACTERS)
    except ValueError as error:
        return [_fault("name", "name_unusable", f"a name like this cannot be kept: {error}")]
    if name in {".", ".."} or name.startswith("-") or "/" in name or "\\" in name:
        text = "a name is typed and part of URLs: no slash or backslash in it, no hyphen first, and not `.` or `..`"
        return [_fault("name", "name_unusable", text)]
    return []


def place_faults(place: DestinationLocation, allowed: DestinationAllowlist) -> list[Fault]:
    """What is wrong with a place, or not allowed by the operator."""
    if place.kind is DestinationKind.LOCAL:
        return _folder_faults(place.folder or "", allowed)
    faults = []
    if not _BUCKET.fullmatch(place.bucket or ""):
        text = "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens"
        faults.append(_fault("bucket", "bucket_unusable", text))
    if place.region is not None and not _REGION.fullmatch(place.region):
        faults.append(_fault("region", "region_unusable", "a region is a word such as eu-central-1"))
    return faults + (_endpoint_faults(place.endpoint, allowed) if place.endpoint is not None else [])


def base_of(root: str) -> str:
    """The part of a root before the folder that is named after the customer."""
    parts = PurePosixPath(root).parts
    own = next((number for number, part in enumerate(parts) if CUSTOMER_FIELD in part), len(parts))
    return str(PurePosixPath(*parts[:own]))


def is_metadata_service(address: str) -> bool:
    """Whether an IP address is one where clouds hand out the credentials of their machines, or beyond no router."""
    ip = ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_link_local or str(ip) in _METADATA_SERVICES


def _folder_faults(folder: str, allowed: DestinationAllowlist) -> list[Fault]:
    path = PurePosixPath(folder)
    if not path.is_absolute() or ".." in path.parts:
        return [_fault("folder", "folder_unusable", "a folder is an absolute path without `..`")]
    if why := refused_character(folder):
        return [_fault("folder", "folder_unusable", f"a folder like this cannot be delivered to: {why}")]
    if allowed.root_of(folder) is None:
        text = "the operator allows no delivery to this folder; ask for one, or deliver to a bucket"
        if allowed.own_roots:
            text = f"a folder of yours is below {' or '.join(allowed.own_roots)}; or deliver to a bucket"
        return [_fault("folder", "folder_not_allowed", text)]
    return []


def _endpoint_faults(endpoint: str, allowed: DestinationAllowlist) -> list[Fault]:
    try:
        url = urlsplit(endpoint)
        plain = url.scheme in {"http", "https"} and url.hostname and not (url.path or url.query or url.fragment)
        plain = plain and "@" not in url.netloc and (url.port or 443) > 0
    except ValueError:
        plain = False
    if not plain:
        text = "an endpoint is http:// or https:// with a host, perhaps a port, and nothing more"
        return [_fault("endpoint", "endpoint_unusable", text)]
    if endpoint not in allowed.endpoints:
        text = "the operator allows no delivery to this endpoint; ask for it, or leave it out for AWS"
        return [_fault("endpoint", "endpoint_not_allowed", text)]
    return []


def prefix_faults(prefix: str) -> list[Fault]:
    """What is wrong with a template of the folders below a destination, such as `{number}/{label}`."""
    if len(prefix) > MAX_PREFIX:
        text = f"a prefix has at most {MAX_PREFIX} characters; this one has {len(prefix)}"
        return [_fault("prefix", "prefix_unusable", text)]
    if why := refused_character(prefix):
        return [_fault("prefix", "prefix_unusable", f"a prefix cannot be kept as it is: {why}")]
    if any(part in {"", ".", ".."} for part in prefix.split("/")) and prefix:
        text = "a prefix is folders with `/` between them, none of them empty, `.` or `..`"
        return [_fault("prefix", "prefix_unusable", text)]
    return template_faults("prefix", prefix, PREFIX_FIELDS)


def template_faults(field: str, template: str, known: frozenset[str]) -> list[Fault]:
    """What is wrong with the braces of a template."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return [_fault(field, "template_unreadable", "a brace is not closed, or not opened; a plain one is doubled")]
    for _, name, spec, conversion in parts:
        if name is not None and (name not in known or spec or conversion):
            words = ", ".join(f"{{{word}}}" for word in sorted(known))
            return [_fault(field, "template_unknown_field", f"{{{name}}} is not known here; there are {words}")]
    return []


def key_of(prefix: str, filename: str, *, number: str, label: str, suborder: int) -> str:
    """Where an archive goes below its destination: clean components only, whatever its label is."""
    folders: Sequence[str] = [
        clean_component(part.format(number=number, label=label)) for part in prefix.split("/") if part
    ]
    name = archive_filename(number, label, suborder, filename)
    while folders and len("/".join((*folders, name)).encode()) > MAX_KEY_BYTES:
        folders = folders[:-1]
    return "/".join((*folders, name))


def _fault(field: str, code: str, text: str) -> Fault:
    return Fault(field=field, code=code, text=text)
