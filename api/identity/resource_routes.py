"""The route that tells clients whose tokens this server takes (RFC 9728)."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.identity.authenticate import IdentityServicesDep

router = APIRouter(tags=["identity"])


class ProtectedResource(BaseModel):
    """OAuth 2.0 Protected Resource Metadata (RFC 9728)."""

    resource: str
    authorization_servers: list[str]
    scopes_supported: list[str] = Field(description="What to ask the authorization server for.")
    bearer_methods_supported: list[str] = ["header"]
    consignor_shell_client_id: str | None = Field(
        description="The public client with which `consignor login` signs in; null where the operator offers none."
    )


@router.get("/.well-known/oauth-protected-resource", name="show-protected-resource")
async def show_protected_resource(services: IdentityServicesDep) -> ProtectedResource:
    """Whose tokens this server takes, and as what client a shell gets one."""
    config = services.identity.config
    return ProtectedResource(
        resource=services.public_url,
        authorization_servers=[config.issuer],
        scopes_supported=list(config.shell_scopes),
        consignor_shell_client_id=config.shell_client_id,
    )
