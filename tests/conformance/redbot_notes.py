"""`python redbot_notes.py TOKEN URL …`: what REDbot finds wrong with these, as JSON: URL, level and note.

A program of its own, with REDbot and without Consignor beside it. URLs of signed links are asked without the token.
"""

import json
import sys
from configparser import ConfigParser

import thor  # type: ignore[import-not-found]
from httplint.note import levels  # type: ignore[import-not-found]
from redbot.resource import HttpResource  # type: ignore[import-not-found]

WRONG = (levels.WARN, levels.BAD)


def checked(urls: list[str], token: str) -> list[HttpResource]:
    """Each URL after what REDbot asks of it. Its loop runs once, so all are asked within."""
    config = ConfigParser()
    config.read_dict({"redbot": {"enable_local_access": "True"}})
    waiting, done = list(urls), list[HttpResource]()

    def following() -> None:
        if not waiting:
            thor.stop()
            return
        url = waiting.pop(0)
        resource = HttpResource(config["redbot"])
        headers = [] if "/links/" in url else [("Authorization", f"Bearer {token}")]
        resource.set_request(url, headers=headers)
        resource.once("check_done", following)
        done.append(resource)
        resource.check()

    thor.schedule(0, following)
    thor.run()
    return done


def notes(url: str, resource: HttpResource) -> list[dict[str, str]]:
    """All that is not as it should be of one URL."""
    if not resource.response.complete:
        return [{"url": url, "level": "bad", "note": "NO_ANSWER", "text": "it was not answered"}]
    return [
        {"url": url, "level": note.level.value, "note": type(note).__name__, "text": " ".join(note.summary.split())}
        for one in (resource, *resource.subreqs.values())
        for note in one.response.notes
        if note.level in WRONG
    ]


if __name__ == "__main__":
    asked = sys.argv[2:]
    found = [note for url, one in zip(asked, checked(asked, sys.argv[1]), strict=True) for note in notes(url, one)]
    sys.stdout.write(json.dumps(found))
