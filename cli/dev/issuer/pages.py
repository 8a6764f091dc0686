"""What the pages of the dev issuer share: who there is to be, how a form is read, and how one is refused."""

from html import escape
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cli.dev.issuer.people import PEOPLE

MAX_BODY: Final = 16_384
NO_STORE: Final = {"Cache-Control": "no-store"}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Consignor: who are you?</title>
<style>body{{font:1rem system-ui;max-width:26rem;margin:12vh auto;padding:0 1rem;color-scheme:light dark}}
button{{display:block;width:100%;margin:.5rem 0;padding:.8rem;font:inherit;text-align:left}}</style>
<h1>Who are you?</h1><p>The dev stack knows these people and asks for no password.</p>
<form method="post">{hidden}{buttons}</form>"""


def page_of_people(fields: str) -> str:
    """The page that asks who one is, with these fields in its form."""
    buttons = "".join(
        f'<button name="user" value="{user}">{escape(person.name)} <small>{person.role}</small></button>'
        for user, person in PEOPLE.items()
    )
    return PAGE.format(hidden=fields, buttons=buttons)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; none of one that is too long."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return {}
    return dict(parse_qsl(body.decode("utf-8", "replace")))


def refused(why: str) -> Response:
    """Say on a page why something is refused."""
    return HTMLResponse(f"<!doctype html><title>Refused</title><p>{escape(why)}</p>", 400)
