"""Origins (RFC 6454) whose pages may ask the API from a browser."""

import re
from dataclasses import dataclass
from typing import Final

ANY: Final = "*"
_ORIGIN: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[1-9]\d{0,4}))?",
    re.ASCII,
)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_LAST_PORT: Final = 65_535


@dataclass(frozen=True)
class CorsPolicy:
    """The origins whose pages may ask; none unless set. With `credentials` they do so as whoever has signed in."""

    origins: frozenset[str] = frozenset()
    credentials: bool = False

    def __post_init__(self) -> None:
        if self.credentials and ANY in self.origins:
            raise ValueError("any page could act as whoever has signed in: name the origins, or do without credentials")

    def trusts(self, origin: str) -> bool:
        """Whether pages of this origin may change something as whoever has signed in here."""
        return self.credentials and origin in self.origins


def parse_origin(text: str) -> str:
    """An origin as browsers write it, or `*` for any. Raises ValueError."""
    if text == ANY:
        return text
    found = _ORIGIN.fullmatch(text.strip().lower())
    if found is None or int(port := found["port"] or _DEFAULT_PORTS[found["scheme"]]) > _LAST_PORT:
        raise ValueError(
            f"{text!r} is no origin: write it as browsers do, such as https://maps.example.org, without a path or a `/`"
        )
    is_default = port == _DEFAULT_PORTS[found["scheme"]]
    return f"{found['scheme']}://{found['host']}" + ("" if is_default else f":{port}")
