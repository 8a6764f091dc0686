"""What Consignor writes into an archive itself: the manifest, the checksums and the letter about what is missing."""

import json
import subprocess
import zipfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.archive import Entry, FileSlice, Layout
from models.errors import Failure, FailureCode
from models.manifest import (
    ManifestFile,
    MissingFile,
    generated_members,
    manifest_json,
    notice_txt,
    remedy,
    sha256sums,
)
from models.naming import RESERVED_NAMES, entry_names
from tests.tools import tool

FILES = st.lists(
    st.builds(
        ManifestFile,
        path=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
        original=st.text(st.characters(codec=None)),
        size=st.integers(0, 2**63),
        sha256=st.just("0" * 64),
    ),
    max_size=8,
)
GONE = MissingFile("o/lost.tif", Failure(code=FailureCode.SOURCE_MISSING, text="lost.tif is not there"))


@given(FILES)
def test_a_manifest_says_everything_in_any_order_of_the_files(files: list[ManifestFile]) -> None:
    made = manifest_json("CO-1", 2, files, [GONE])
    assert made == manifest_json("CO-1", 2, reversed(files), [GONE])
    read = json.loads(made)
    assert (read["number"], read["suborder"]) == ("CO-1", 2)
    assert [ManifestFile(**file) for file in read["files"]] == sorted(files)
    assert read["missing"] == [{"original": "o/lost.tif", "code": "source_missing", "text": "lost.tif is not there"}]


def test_a_manifest_has_one_line_for_each_file() -> None:
    files = [ManifestFile(f"o/{index}", "x", 1, "0" * 64) for index in range(5)]
    assert manifest_json("CO-1", 1, files).count(b"\n") == 5 + 7
    assert manifest_json("CO-1", 1, []) == b'{\n"number": "CO-1",\n"suborder": 1,\n"files": [],\n"missing": []\n}\n'


def test_sha256sum_accepts_an_unpacked_archive(tmp_path: Path) -> None:
    names = entry_names([("o", "a.tif"), ("o", "ü b/c  d.tif"), ("-rf", "*x")])
    contents = [b"a", b"", b"xyz"]
    digests = [sha256(content).digest() for content in contents]
    files = [ManifestFile(n, n, len(c), d.hex()) for n, c, d in zip(names, contents, digests, strict=True)]
    members = generated_members("CO-1", 1, files, [GONE])
    entries = [Entry(n, len(c), crc32(c), 1_700_000_000) for n, c in zip(names, contents, strict=True)]
    pieces = Layout(entries, members).segments()
    whole = b"".join(contents[p.member] if isinstance(p, FileSlice) else p for p in pieces)
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        archive.extractall(tmp_path)
    assert set(RESERVED_NAMES) <= {path.name for path in tmp_path.iterdir()}
    done = check_sums(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(b"OK") == 5


def test_sha256sum_understands_escaped_names(tmp_path: Path) -> None:
    names = ["back\\slash", "new\nline", "carriage\rreturn", " blank "]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "SHA256SUMS").write_bytes(sha256sums((n, sha256(n.encode()).hexdigest()) for n in names))
    done = check_sums(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def check_sums(folder: Path) -> subprocess.CompletedProcess[bytes]:
    arguments = [tool("sha256sum"), "--strict", "-c", "SHA256SUMS"]
    return subprocess.run(arguments, cwd=folder, capture_output=True, check=False)


def test_nothing_missing_means_no_notice() -> None:
    assert [member.name for member in generated_members("CO-1", 1, [])] == ["manifest.json", "SHA256SUMS"]


def test_a_notice_tells_which_why_and_what_to_do() -> None:
    sneaky = MissingFile("o/x\nforged line", Failure(code=FailureCode.DISK_FULL, text="no room"))
    text = notice_txt("CO-1", 2, [sneaky, GONE]).decode()
    assert text.splitlines() == [
        "Order CO-1, part 2: 2 files that you ordered are missing from this archive.",
        "",
        "o/lost.tif",
        "    lost.tif is not there [source_missing]",
        f"    {remedy(GONE.failure)}",
        "",
        "o/x\\u000aforged line",
        "    no room [disk_full]",
        f"    {remedy(sneaky.failure)}",
    ]
    assert notice_txt("CO-1", 2, [GONE]).startswith(b"Order CO-1, part 2: 1 file that you ordered is missing")


@pytest.mark.parametrize("code", FailureCode)
def test_every_failure_has_a_remedy(code: FailureCode) -> None:
    assert remedy(Failure(code=code, text="")).endswith(".")
