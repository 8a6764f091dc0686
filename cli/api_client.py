"""A client of the facade for our own commands: problems become sentences."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import httpx2 as httpx

from cli.credentials import Credential, credential_for, refused
from cli.errors import CommandFailed, MadeUnshown, Refused
from cli.hints import fault_in_words
from cli.outages import Patience

if TYPE_CHECKING:
    from cli.archive_proof import Part

_POLL = 0.2
_COME_BACK = 3.0
"""Seconds after which a stream of events is opened again, as the API wants it."""


class _TlsWhenNeeded(httpx.BaseTransport):
    """HTTPS whose certificates are loaded when something is asked for over it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._transport.handle_request(request)

    @cached_property
    def _transport(self) -> httpx.HTTPTransport:
        return httpx.HTTPTransport()

    def close(self) -> None:
        if "_transport" in self.__dict__:
            self._transport.close()


class Api:
    """The facade under one URL. With `patience` an outage is waited out by everything that only reads."""

    def __init__(
        self, url: str, credential: Credential | None = None, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.url = url
        self.patience: Patience | None = None
        self.credential = credential or credential_for(url)
        # What HTTPS needs takes longer to load than a short command may last.
        plain = {"http://": transport or httpx.HTTPTransport(verify=False)} if url.startswith("http:") else None
        self._client = httpx.Client(
            base_url=f"{url}/api/v1",
            timeout=30,
            auth=self.credential.sign,
            transport=transport or (_TlsWhenNeeded() if plain else None),
            mounts=plain,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **params: Any) -> Any:
        """The JSON behind a path. Raises CommandFailed with the problem's sentence."""
        return self._asked("GET", path, params={k: v for k, v in params.items() if v is not None})

    def post(self, path: str, body: Any = None, **params: Any) -> Any:
        """What a POST answers. Raises MadeUnshown where that may not be read."""
        return self._asked("POST", path, json=body, params=params)

    def patch(self, path: str, body: Any) -> Any:
        """What a PATCH answers."""
        return self._asked("PATCH", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        """What a PUT answers."""
        return self._asked("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        """Delete what is behind a path; what is answered to that, if anything is."""
        return self._asked("DELETE", path)

    def order(self, key: str) -> Any:
        """An order by id, or by number among all of the caller's. Raises CommandFailed."""
        with suppress(ValueError):
            return self.get(f"/orders/{UUID(key)}")
        if not key.upper().startswith("CO-"):
            raise CommandFailed(f"{key!r} names no order; give its id, or its number as in CO-2026-000042")
        for order in self.get("/orders", q=key)["items"]:
            if order["number"] == key.upper():
                return self.get(f"/orders/{order['id']}")
        raise CommandFailed(f"there is no order {key}")

    def pages(
        self, path: str, *, method: str = "GET", body: Any = None, limit: int = 1000, **params: Any
    ) -> Iterator[Any]:
        """The pages of a list, one after the other as they are taken. Raises CommandFailed."""
        params = {name: value for name, value in params.items() if value is not None} | {"limit": limit}
        while True:
            page = self._asked(method, path, params=params, json=body)
            yield page
            if (cursor := page["next_cursor"]) is None:
                return
            params["cursor"] = cursor

    def items(self, path: str, **options: Any) -> Iterator[Any]:
        """The items of all pages; takes what `pages` takes."""
        for page in self.pages(path, **options):
            yield from page["items"]

    def stac_items(self, body: dict[str, Any]) -> Iterator[Any]:
        """The items that a search of the catalogue finds, page by page as they are taken."""
        url = f"{self.url}/stac/search"
        while True:
            page = self._asked("POST", url, json=body)
            yield from page["features"]
            following = next((link for link in page["links"] if link["rel"] == "next"), None)
            if following is None:
                return
            body = body | following["body"]

    def links(self, order_id: str, *, all_files: bool) -> Any:
        """The signed links of an order, with those of the first thousand files or of all."""
        found, *others = islice(self.pages(f"/orders/{order_id}/links"), None if all_files else 1)
        return found | {"files": [file for page in (found, *others) for file in page["files"]]}

    def documents(self, path: str) -> Iterator[bytes]:
        """A document and the parts that follow it."""
        url: str | None = path
        while url:
            answer = self._client.get(url)
            _check(answer)
            yield answer.content
            url = answer.links.get("next", {}).get("url")

    def wait(self, order_id: str, seen: Callable[[Any], None]) -> Any:
        """The order when its outcome is known; `seen` is told of every look in between."""
        return self.wait_for(f"/orders/{order_id}", lambda order: order["outcome"] != "pending", seen)

    def wait_for(self, path: str, condition: Callable[[Any], bool], seen: Callable[[Any], None]) -> Any:
        """What is behind a path when it is as wanted; `seen` is told of every look on the way."""
        while not condition(found := self.get(path)):
            seen(found)
            time.sleep(_POLL)
        seen(found)
        return found

    def changes(self, order_id: str) -> Iterator[Any]:
        """An order as it is, and again whenever it has changed; looked at now and then where there are no events."""
        path = f"/orders/{order_id}"
        while True:
            try:
                with self._client.sse("/events", params={"order": order_id}) as events:
                    if events.response.is_error:
                        events.response.read()
                    _check(events.response)
                    # Read when the stream is open, so that no change is missed between the two.
                    yield self.get(path)
                    yield from (self.get(path) for event in events if event.event in {"order", "resync"})
            except (httpx.TransportError, CommandFailed):
                # What stays wrong, the next look says.
                yield self.get(path)
            time.sleep(_COME_BACK)

    def download(
        self,
        url: str,
        folder: Path,
        progress: Callable[[int], None],
        *,
        part: "Part",
        tell: Callable[[str], None],
        force: bool = False,
    ) -> Path:
        """Download an archive into a folder; see `ArchiveDownload`."""
        from cli.archive_download import ArchiveDownload

        return ArchiveDownload(self._client, _check, url, part, folder, progress, tell, force).run()

    def download_file(
        self,
        order_id: str,
        file: Any,
        folder: Path,
        progress: Callable[[int], None],
        *,
        tell: Callable[[str], None],
        force: bool = False,
    ) -> Path:
        """Download a file of an order into a folder; see `FileDownload`."""
        from cli.file_download import FileDownload

        url = f"/orders/{order_id}/files/{file['seq']}/content"
        return FileDownload(self._client, _check, url, file, folder, progress, tell, force).run()

    def save(self, path: str, target: Path, *, method: str = "GET", body: Any = None, **params: Any) -> int:
        """Save what a path streams, whole or not at all; how many bytes. Raises CommandFailed."""
        part = target.with_name(f".{target.name}.part")
        try:
            with self._client.stream(method, path, params=params, json=body) as answer, part.open("wb") as file:
                if answer.is_error:
                    answer.read()
                _check(answer)
                for block in answer.iter_bytes(1024 * 1024):
                    file.write(block)
            size = part.stat().st_size
            part.replace(target)
        except httpx.TransportError as error:
            raise CommandFailed(f"the export was cut ({error}); run the same command again") from None
        except OSError as error:
            raise CommandFailed(f"cannot write {target}: {error.strerror}") from None
        finally:
            part.unlink(missing_ok=True)
        return size

    def _asked(self, method: str, path: str, **options: Any) -> Any:
        def ask() -> httpx.Response:
            return self._client.request(method, path, **options)

        try:
            answer = self.patience.ask(ask) if self.patience and method == "GET" else ask()
        except httpx.TransportError as error:
            raise CommandFailed(
                f"the API at {self.url} does not answer ({error}); is `consignor dev` running?"
            ) from None
        _check(answer)
        if answer.status_code == httpx.codes.NO_CONTENT and "Location" in answer.headers:
            raise MadeUnshown(answer.headers["Location"])
        try:
            return answer.json() if answer.content else None
        except ValueError:
            text = f"{self.url} answered something that is not JSON; is this the address of Consignor's API?"
            raise CommandFailed(text) from None


def _check(answer: httpx.Response) -> None:
    if not answer.is_error:
        return
    problem: Any = {}
    first, *others = [answer.reason_phrase]
    if answer.headers.get("content-type") == "application/problem+json" and answer.content:
        # Whoever answers may be another server, whose problems have other members.
        with suppress(ValueError, LookupError, TypeError, AttributeError):
            first, *others = _problem(found := answer.json(), json.loads(answer.request.content or "null"))
            problem = found
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        refused()
        others = [*others, "sign in with `consignor login`; CONSIGNOR_TOKEN goes before it, where it is set"]
    raise Refused(problem, f"{answer.status_code} {first}", *others)


def _problem(problem: Any, body: Any) -> list[str]:
    """The lines that tell a problem of the API."""
    faults = [f"  {fault_in_words(fault, body)}" for fault in problem.get("faults", [])]
    first = str(problem["code"] if faults else problem["detail"])
    if allowed := problem.get("allowed"):
        first += f"; it allows {', '.join(allowed).replace('_', '-')}"
    return [first, *faults]
