"""As whom our own commands act: CONSIGNOR_TOKEN, else who has signed in here, else somebody of the dev stack."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cli.errors import CommandFailed
from cli.runtime.addresses import is_plain_beyond_loopback
from cli.runtime.running_stack import running_stack
from cli.runtime.shell_settings import ShellSettings, shell_settings

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True)
class Credential:
    """What is shown to one API, and where it comes from. A login is renewed while a command waits."""

    token: Callable[[], str | None]
    source: str

    @classmethod
    def fixed(cls, token: str | None, source: str = "the caller") -> Self:
        """A token that stays what it is; None to show nothing."""
        return cls(lambda: token, source)

    def sign(self, request: "httpx2.Request") -> "httpx2.Request":
        """Have a request carry the token."""
        if token := self.token():
            request.headers["Authorization"] = f"Bearer {token}"
        return request


def credential_for(api: str) -> Credential:
    """What to show the API at this address; nothing where we are nobody to it. Raises CommandFailed."""
    if os.environ.get("CONSIGNOR_TOKEN") == "":
        # Mostly a command in $(…) that has failed: to go on as somebody else would be a surprise.
        raise CommandFailed("CONSIGNOR_TOKEN is set to nothing: give it a token, or unset it")
    settings = shell_settings()
    if settings.token is not None:
        refuse_plain(settings, api)
        return Credential.fixed(settings.token, "CONSIGNOR_TOKEN")
    from cli.logins import Logins

    if login := Logins().of(api):
        refuse_plain(settings, api)
        return Credential(login.token, "`consignor login`")
    if not _is_dev(settings, api):
        return Credential.fixed(None, "nowhere: sign in with `consignor login`")
    from cli.dev.issuer.kept_token import kept_token

    return Credential.fixed(kept_token(settings.data, _issuing_api(settings)), "the dev stack")


def refused() -> None:
    """Have the next command act by another token, where ours was of our own making."""
    settings = shell_settings()
    if settings.token is None:
        from cli.dev.issuer.kept_token import forget_kept_token

        forget_kept_token(settings.data)


def token_of(user: str, api: str, *, lifetime: int) -> str:
    """A token of somebody of the dev stack. Raises CommandFailed for others, and where no such stack is."""
    from cli.dev.data import DataFolder
    from cli.dev.issuer.keys import token_for
    from cli.dev.issuer.people import PEOPLE

    settings = shell_settings()
    if user not in PEOPLE:
        raise CommandFailed(f"the dev stack knows no {user}: be one of {', '.join(PEOPLE)}")
    if not _is_dev(settings, api):
        raise CommandFailed(
            f"the API at {api} is no dev stack of this machine: sign in with `consignor login`,"
            " or make a token for a script with `consignor token create`"
        )
    return token_for(DataFolder(settings.data), _issuing_api(settings), PEOPLE[user], lifetime=lifetime)


def refuse_plain(settings: ShellSettings, api: str) -> None:
    """Raise CommandFailed where a token would go over a network that others may read."""
    if is_plain_beyond_loopback(api) and not settings.plain_http:
        raise CommandFailed(
            f"{api} is plain HTTP, and who is on the way reads the token: name its https:// address in"
            " CONSIGNOR_PUBLIC_URL, or set CONSIGNOR_PLAIN_HTTP=true if nobody else is on that network"
        )


def _is_dev(settings: ShellSettings, api: str) -> bool:
    """Whether the API believes the issuer whose key lies in our data folder."""
    running = running_stack(settings.data)
    return settings.dev_issuer or (running is not None and api in {running.api, running.public_url})


def _issuing_api(settings: ShellSettings) -> str:
    """Where the dev stack's issuer is: in the API itself, whatever stands before that."""
    running = running_stack(settings.data)
    return running.api if running is not None else settings.local_url
