"""Devices without a browser that wait until somebody lets them in with a code (RFC 8628)."""

import secrets
import time
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cli.dev.issuer.pages import NO_STORE, form_of, page_of_people, refused
from cli.dev.issuer.people import PEOPLE, DevPerson

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
LIFETIME: Final = 600.0
INTERVAL: Final = 1
"""Seconds between two questions of a device: there is one, on the same machine."""
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Waiting:
    """A device that waits; `person` is who has let it in."""

    client_id: str
    user_code: str
    until: float
    person: DevPerson | None = None


@dataclass
class Devices:
    """The devices that wait, by their codes."""

    waiting: dict[str, Waiting] = field(default_factory=dict)

    def begin(self, client_id: str, url: str) -> dict[str, Any]:
        """The answer to a device that begins to wait."""
        now = time.monotonic()
        self.waiting = {code: device for code, device in self.waiting.items() if device.until > now}
        letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
        user_code, device_code = f"{letters[:4]}-{letters[4:]}", secrets.token_urlsafe(32)
        self.waiting[device_code] = Waiting(client_id, user_code, now + LIFETIME)
        return {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": url,
            "verification_uri_complete": f"{url}?user_code={user_code}",
            "expires_in": int(LIFETIME),
            "interval": INTERVAL,
        }

    def redeem(self, device_code: str, client_id: str) -> tuple[DevPerson | None, str]:
        """Who has let a device in, once; else the error that it is told."""
        device = self.waiting.get(device_code)
        if device is None or device.client_id != client_id:
            return None, "invalid_grant"
        if device.until < time.monotonic():
            return None, "expired_token"
        if device.person is None:
            return None, "authorization_pending"
        del self.waiting[device_code]
        return device.person, ""

    async def page(self, request: Request) -> Response:
        """The page that asks for a code and who one is."""
        code = escape(request.query_params.get("user_code", ""))
        field = f'<p><label>Code on the device <input name="user_code" value="{code}" required></label>'
        return HTMLResponse(page_of_people(field), headers={**NO_STORE, "Content-Security-Policy": _POLICY})

    async def let_in(self, request: Request) -> Response:
        """Let the device in that shows this code."""
        form = await form_of(request)
        user_code = form.get("user_code", "").strip().upper()
        person, now = PEOPLE.get(form.get("user", "")), time.monotonic()
        for code, device in self.waiting.items():
            if device.user_code == user_code and device.until > now and person is not None:
                self.waiting[code] = replace(device, person=person)
                return HTMLResponse("<!doctype html><title>Consignor</title><p>You may go back to the device.")
        return refused("there is no such person, or no device waits that shows this code")
