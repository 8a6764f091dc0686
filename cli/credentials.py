"""As whom our own commands act: CONSIGNOR_TOKEN, else somebody of the dev stack."""

import os

from cli.errors import CommandFailed
from cli.runtime.running_stack import running_stack
from cli.runtime.settings import Settings, from_environment, is_plain_beyond_loopback


def bearer_token(api: str) -> str | None:
    """What to show the API at this address; None where we are nobody to it. Raises CommandFailed."""
    if os.environ.get("CONSIGNOR_TOKEN") == "":
        # Mostly a command in $(…) that has failed: to go on as somebody else would be a surprise.
        raise CommandFailed("CONSIGNOR_TOKEN is set to nothing: give it a token, or unset it")
    settings = from_environment()
    if settings.token is not None:
        if is_plain_beyond_loopback(api) and not settings.plain_http:
            raise CommandFailed(
                f"{api} is plain HTTP, and who is on the way reads the token in CONSIGNOR_TOKEN: name its https://"
                " address in CONSIGNOR_PUBLIC_URL, or set CONSIGNOR_PLAIN_HTTP=true if nobody else is on that network"
            )
        return settings.token.get_secret_value()
    if not _is_dev(settings, api):
        return None
    from cli.dev.issuer.kept_token import kept_token

    return kept_token(settings.data, _issuing_api(settings))


def refused() -> None:
    """Have the next command act by another token, where ours was of our own making."""
    settings = from_environment()
    if settings.token is None:
        from cli.dev.issuer.kept_token import forget_kept_token

        forget_kept_token(settings.data)


def token_of(user: str, api: str, *, lifetime: int) -> str:
    """A token of somebody of the dev stack. Raises CommandFailed for others, and where no such stack is."""
    from cli.dev.data import DataFolder
    from cli.dev.issuer.keys import token_for
    from cli.dev.issuer.people import PEOPLE

    settings = from_environment()
    if user not in PEOPLE:
        raise CommandFailed(f"the dev stack knows no {user}: be one of {', '.join(PEOPLE)}")
    if not _is_dev(settings, api):
        raise CommandFailed(f"the API at {api} is no dev stack of this machine: get a token from its identity provider")
    return token_for(DataFolder(settings.data), _issuing_api(settings), PEOPLE[user], lifetime=lifetime)


def _is_dev(settings: Settings, api: str) -> bool:
    """Whether the API believes the issuer whose key lies in our data folder."""
    running = running_stack(settings.data)
    return settings.dev_issuer or (running is not None and api in {running.api, running.public_url})


def _issuing_api(settings: Settings) -> str:
    """Where the dev stack's issuer is: in the API itself, whatever stands before that."""
    running = running_stack(settings.data)
    return running.api if running is not None else settings.local_url
