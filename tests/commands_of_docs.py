"""The shell commands of the documentation, as they are printed, and how they are run against a dev stack.

The info string of a fence says what a block is: `sh` and `console` (with its output) are run in the order of the page,
in one shell for each page; `sh refused` is run and has to be refused by the API; `sh elsewhere` is for other machines
than this one and is not run. All else, such as `json` or `text`, holds no commands.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.services.catalogue_sources import put

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
KINDS = {"sh", "sh refused", "sh elsewhere", "console", "text", "json", "yaml", "python", "mermaid", "nginx"}
KEPT = {".consignor", ".consignor.log", "catalogue", ".venv", "photos", "prints"}
"""What a reader has in the folder when a page begins."""

_FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)

# What a reader has and a test has not: an API that may still be busy with the last order, and answers that are read.
_PRELUDE = """
set -eEo pipefail
curl() {
    case " $* " in *" -N "*) command curl --max-time 1 "$@" || [ $? = 28 ]; return ;; esac
    # Only as the first does it leave out the settings of this shell's curl, with the token in them.
    local first=(); [ "$1" != -q ] || { first=(-q); shift; }
    command curl "${first[@]}" --fail-with-body --max-time 60 "$@"
}
newest() { consignor order list --json | jq -r '.[0].number'; }
settled() {
    local busy='[.items[] | select(.outcome == "pending" and .total_price == "0.00" and .status != "draft")] | length'
    local try who="Authorization: Bearer $CONSIGNOR_TOKEN"
    for try in $(seq 100); do
        [ "$(command curl -q -s -H "$who" "$API/orders?limit=200" | jq "$busy")" = 0 ] && return
        sleep 0.1
    done
}
trap 'echo "FAILED: $BASH_COMMAND" >&2' ERR
"""
_ORDERS = re.compile(r"/orders(:bulk)? |order place|cart order|order bulk|confirm-payment|/submit")


class Block(NamedTuple):
    """A fenced block: where it stands, what it is, and what is in it."""

    page: Path
    line: int
    kind: str
    content: str

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> str:
        """Its commands; in a `console` these are the lines behind a `$`, with those that continue them."""
        if self.kind != "console":
            return self.content
        found, goes_on = [], False
        for line in self.content.splitlines():
            if line.startswith("$ ") or goes_on:
                found.append(line.removeprefix("$ "))
                goes_on = line.endswith("\\")
        return "\n".join(found) + "\n"


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        yield Block(page, text[: found.start()].count("\n") + 1, found[2], found[3])


def script(page: Path, *, api: str) -> str:
    """What a shell runs of a page; `api` is where the stack is."""
    parts = [_PRELUDE]
    if page.name != "README.md":
        # The other pages name what the first block of this one sets.
        parts.append(next(blocks(ROOT / "docs/api.md")).commands)
    for block in blocks(page):
        if block.kind in {"sh", "console"}:
            parts += [f"echo {shlex.quote('== ' + block.place)} >&2", block.commands]
        elif block.kind == "sh refused":
            parts += [f"if (\n{block.commands}\n) then echo {shlex.quote(block.place)} was not refused >&2; exit 1; fi"]
        if _ORDERS.search(block.commands):
            parts.append("settled")
    text = "\n".join(parts).replace("http://127.0.0.1:8000", api)
    # Numbers are those of a first day; on a stack that has seen others it is the order just placed.
    return re.sub(r"CO-\d{4}-\d{6}(?=\s)", "$(newest)", text)


def has_commands(page: Path) -> bool:
    """Whether anything of a page is run."""
    return any(block.kind in {"sh", "console", "sh refused"} for block in blocks(page))


def prepare(folder: Path) -> None:
    """Make a folder with a dev stack in it what a reader has: an installation, and pictures to import."""
    if not (folder / ".venv").exists():
        (folder / ".venv").symlink_to(sys.prefix)
    for name in ("photos", "prints"):
        for picture in ("winter/1.jpg", "winter/2.jpg", "summer.jpg"):
            put(folder / name / picture, b"a picture")
    for left in folder.iterdir():
        if left.name not in KEPT:
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def run_page(page: Path, folder: Path, *, api: str, environment: Mapping[str, str]) -> str:
    """Run a page's commands in a folder; what is wrong with them, or nothing."""
    prepare(folder)
    done = subprocess.run(
        # Not on stdin, which the commands would read.
        ["bash", "-c", script(page, api=api)],
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env={**os.environ, **environment, "API": f"{api}/api/v1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    return "" if done.returncode == 0 else f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
