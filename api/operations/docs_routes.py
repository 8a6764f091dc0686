"""The documentation as a page: Swagger UI from files of our own, in a version that is pinned with everything else."""

import hashlib
import re
from base64 import b64encode
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html

from models.links import API

router = APIRouter(include_in_schema=False)

_FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon-32x32.png": "image/png"}
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@router.get("/docs", name="docs")
async def docs(request: Request) -> Response:
    """Show all operations, and let them be tried."""
    root = request.scope.get("root_path", "").rstrip("/")
    page = get_swagger_ui_html(
        openapi_url=f"{root}{API}/openapi.json",
        title="Consignor",
        swagger_js_url=f"{root}/docs/swagger-ui-bundle.js",
        swagger_css_url=f"{root}/docs/swagger-ui.css",
        swagger_favicon_url=f"{root}/docs/favicon-32x32.png",
    )
    page.headers["Content-Security-Policy"] = _policy(bytes(page.body).decode())
    return page


@router.get("/docs/{name}", name="docs-file")
async def docs_file(name: str) -> Response:
    """Give a file of Swagger UI."""
    if name not in _FILES:
        raise HTTPException(404, f"there is nothing at /docs/{name}")
    content = files("fastapi_swagger.resources").joinpath(name).read_bytes()
    # Another release brings other files under the same names.
    return Response(content, media_type=_FILES[name], headers={"Cache-Control": "public, max-age=3600"})


def _policy(page: str) -> str:
    """What the page may run: its own files, and the few lines that start them, named by their digest (CSP level 3)."""
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE.findall(page))
    scripts = " ".join(f"'sha256-{b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
