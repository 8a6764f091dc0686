"""The signed links that lead to what an order downloads."""

from datetime import datetime

from pydantic import BaseModel


class ArchiveLink(BaseModel):
    """A signed link to an archive."""

    suborder: int
    filename: str
    size: int | None
    url: str


class FileLink(BaseModel):
    """A signed link to a file; `path` is its name where files of several archives lie side by side."""

    seq: int
    path: str
    size: int
    sha256: str | None
    url: str


class FolderPublic(BaseModel):
    """An empty folder; `path` is its name where the files of several archives lie side by side."""

    suborder: int
    object: str
    path: str


class FoldersPublic(BaseModel):
    """A page of empty folders; `next_cursor` leads to the next one."""

    items: list[FolderPublic]
    next_cursor: str | None


class LinksListing(BaseModel):
    """Signed links of an order; `next_cursor` leads to further files."""

    expires_at: datetime | None
    metalink: str
    metalink3: str
    archives: list[ArchiveLink]
    files: list[FileLink]
    next_cursor: str | None
