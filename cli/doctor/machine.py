"""What `consignor dev` needs of this machine: Python, space, a folder of its own, ports and programs."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cli.doctor.finding import Finding
from cli.errors import CommandFailed, failure_of
from models.labels import size_in_words

OLDEST_PYTHON = (3, 11)
ENOUGH_SPACE = 2 * 1000**3
"""Bytes that an installation and a small archive fit into."""

LITTLE_SPACE = 300 * 1000**2
"""Bytes below which PostgreSQL and Temporal do not start well."""


def look_at_machine(data: Path) -> Iterator[Finding]:
    """Look at what all commands need here."""
    yield python(sys.version_info[:3])
    place = nearest(data)
    yield space(place, shutil.disk_usage(place).free)
    yield temporary_folder()


def look_at_dev_stack(data: Path) -> Iterator[Finding]:
    """Look at what only `consignor dev` needs, with nothing started, made or changed."""
    yield data_folder(data)
    yield from ports()
    yield postgres(data)
    yield temporal()


def python(version: tuple[int, ...]) -> Finding:
    """Whether this Python is new enough."""
    said = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return Finding.failed("Python", f"{said} is too old", "install Python 3.11 or newer, and make PYTHON=…")
    return Finding.ok("Python", said)


def space(place: Path, free: int) -> Finding:
    """Whether there is room where the data are."""
    text = f"{size_in_words(free)} free on the disk of {place}"
    if free < LITTLE_SPACE:
        return Finding.failed("Disk", text, "free some, or choose a folder on another disk with --data")
    if free < ENOUGH_SPACE:
        return Finding.warning("Disk", text, "free some: the database of a large archive needs more")
    return Finding.ok("Disk", text)


def temporary_folder() -> Finding:
    """Whether sockets and temporary files have a place."""
    folder = Path(tempfile.gettempdir())
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding.failed("Temporary folder", f"{folder} cannot be written to", "set TMPDIR to one that can")
    return Finding.ok("Temporary folder", str(folder))


def data_folder(data: Path) -> Finding:
    """Whether the data folder is ours, or can be made."""
    from cli.dev.data import DataFolder

    try:
        DataFolder(data).check()
    except (CommandFailed, OSError) as refused:
        text, _, remedy = str(failure_of(refused)).rpartition(": " if isinstance(refused, CommandFailed) else "; ")
        return Finding.failed("Data folder", text or str(refused), remedy)
    return Finding.ok("Data folder", str(data.expanduser().resolve()))


def nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above it that is there."""
    path = path.expanduser().resolve()
    return next(one for one in (path, *path.parents) if one.exists())


def ports() -> Iterator[Finding]:
    """Which ports the next start takes; one in use gives way to the next free one."""
    try:
        from cli.dev.endpoints import API_PORT
        from cli.dev.ports import free_port, is_free
        from cli.dev.temporal import temporal_dev

        wanted = temporal_dev().ports
    except (ImportError, CommandFailed) as error:
        yield Finding.broken_off("Ports", error)
        return
    for name, port in (("API", API_PORT), ("Temporal", wanted.frontend), ("Temporal UI", wanted.ui)):
        if is_free(port):
            yield Finding.ok(f"Port of {name}", f"{port} is free")
        else:
            yield Finding.ok(f"Port of {name}", f"{port} is in use; a start would take {free_port(port + 1)}")


def postgres(data: Path) -> Finding:
    """Whether the embedded PostgreSQL runs as this user, on this folder."""
    from cli.dev.binaries import postgres_binaries, postgres_identity

    try:
        binaries = postgres_binaries()
        identity = postgres_identity(binaries, nearest(data))
    except CommandFailed as refused:
        text, _, remedy = str(refused).partition(": ")
        return Finding.failed("Embedded PostgreSQL", text, remedy)
    return Finding.ok("Embedded PostgreSQL", f"{binaries}{', as nobody' if identity.prefix else ''}")


def temporal() -> Finding:
    """Whether the Temporal of the dev stack is there."""
    from cli.dev.binaries import temporal_binary

    try:
        return Finding.ok("Embedded Temporal", str(temporal_binary()))
    except CommandFailed as refused:
        text, _, remedy = str(refused).partition(": ")
        return Finding.failed("Embedded Temporal", text, remedy)
