"""The dev issuer's key, made in the data folder on first use, and the tokens signed with it."""

import json
import os
import time
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from cli.dev.data import DataFolder
from cli.dev.issuer.people import DEFAULT, DevPerson, issuer_url
from cli.private_files import new_private_file
from cli.runtime.oidc import DEV_AUDIENCE

LIFETIME = 12 * 3600
"""Seconds a token lasts: a working day."""

ALGORITHM = "ES256"


def signing_key(folder: DataFolder) -> ECKey:
    """The key of this data folder; readable for its owner alone, and the same for all who ask at once."""
    path = folder.path / "secrets" / "issuer.json"
    if not path.exists():
        _make(path)
    return ECKey.import_key(json.loads(path.read_text()))


def token_for(folder: DataFolder, api: str, person: DevPerson, *, lifetime: int = LIFETIME, **more: Any) -> str:
    """A bearer token of a person for the API at this address; `more` are further claims."""
    now = int(time.time())
    key = signing_key(folder)
    claims = {
        "iss": issuer_url(api),
        "sub": person.user,
        "aud": DEV_AUDIENCE,
        "iat": now,
        "exp": now + lifetime,
        "name": person.name,
        "email": f"{person.user}@example.org",
        "roles": [str(person.role)],
        "groups": list(person.groups),
        **more,
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key)


def bearer_token(folder: DataFolder, api: str) -> str:
    """What our own commands show the dev stack."""
    return token_for(folder, api, DEFAULT)


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ECKey.generate_key("P-256", auto_kid=True)
    new = path.with_name(f"issuer.{os.getpid()}.new")
    with new_private_file(new) as file:
        json.dump(key.as_dict(private=True), file)
    try:
        # Linked, not renamed: of two who make one at once, the first one's stays.
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink()
