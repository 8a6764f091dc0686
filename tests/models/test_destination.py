"""Destinations: what is allowed, and that no template and no label leads anywhere else."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.destination import (
    MAX_KEY_BYTES,
    Credentials,
    DestinationAllowlist,
    DestinationKind,
    DestinationLocation,
    key_of,
    name_faults,
    place_faults,
    prefix_faults,
)
from models.naming import DEFAULT_ARCHIVE_FILENAME, archive_filename, check_archive_filename

ALLOWED = DestinationAllowlist(roots=("/exports", "/mnt/out"), endpoints=("https://s3.example.org",))


def faults_of(**place: str | None) -> list[str]:
    return [fault.code for fault in place_faults(DestinationLocation.model_validate(place), ALLOWED)]


@pytest.mark.parametrize("folder", ["/exports", "/exports/maria", "/mnt/out/a b/ü"])
def test_a_folder_below_a_root_is_allowed(folder: str) -> None:
    assert faults_of(kind="local", folder=folder) == []


@pytest.mark.parametrize(
    ("folder", "code"),
    [
        ("/etc", "folder_not_allowed"),
        ("/exports2", "folder_not_allowed"),
        ("/", "folder_not_allowed"),
        ("exports", "folder_unusable"),
        ("", "folder_unusable"),
        ("/exports/../etc", "folder_unusable"),
        ("/exports/\0", "folder_unusable"),
    ],
)
def test_any_other_folder_is_refused(folder: str, code: str) -> None:
    assert faults_of(kind="local", folder=folder) == [code]


PRIVATE = DestinationAllowlist(roots=("/exports/{customer}/in", "/mnt/all"))


@pytest.mark.parametrize(
    ("customer", "folder", "root"),
    [
        ("ab12", "/exports/ab12/in", "/exports"),
        ("ab12", "/exports/ab12/in/a/b", "/exports"),
        ("ab12", "/mnt/all/a", "/mnt/all"),
        ("ab12", "/exports/cd34/in", None),
        ("ab12", "/exports/ab12", None),
        ("ab12", "/exports/{customer}/in", None),
        ("../cd34", "/exports/cd34/in", None),
        ("../cd34", "/exports/.._cd34/in", "/exports"),
        (None, "/exports/_/in", None),
    ],
)
def test_a_root_of_each_customer_is_nobody_elses(customer: str | None, folder: str, root: str | None) -> None:
    allowed = PRIVATE if customer is None else PRIVATE.of(customer)
    assert allowed.root_of(folder) == root


def test_who_names_another_folder_is_told_where_theirs_is() -> None:
    place = DestinationLocation(kind=DestinationKind.LOCAL, folder="/exports/cd34/in")
    (fault,) = place_faults(place, PRIVATE.of("ab12"))
    assert (fault.code, "/exports/ab12/in" in fault.text) == ("folder_not_allowed", True)


@pytest.mark.parametrize("endpoint", [None, "https://s3.example.org"])
def test_a_bucket_at_aws_or_an_endpoint_of_the_operators_is_allowed(endpoint: str | None) -> None:
    assert faults_of(kind="s3", bucket="my.bucket-1", region="eu-central-1", endpoint=endpoint) == []


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("http://169.254.169.254", "endpoint_not_allowed"),
        ("http://s3.example.org", "endpoint_not_allowed"),
        ("https://s3.example.org/x", "endpoint_unusable"),
        ("https://user@s3.example.org", "endpoint_unusable"),
        ("https://s3.example.org:0x", "endpoint_unusable"),
        ("https://[", "endpoint_unusable"),
        ("ftp://s3.example.org", "endpoint_unusable"),
        ("", "endpoint_unusable"),
    ],
)
def test_any_other_endpoint_is_refused(endpoint: str, code: str) -> None:
    assert faults_of(kind="s3", bucket="archives", endpoint=endpoint) == [code]


@pytest.mark.parametrize("bucket", ["", "ab", "UPPER", "a..b", "a/b", "127.0.0.1", "x" * 64, "evil.com/#"])
def test_a_bucket_has_a_name_that_is_one(bucket: str) -> None:
    assert faults_of(kind="s3", bucket=bucket, region="evil.com/") == ["bucket_unusable", "region_unusable"]


@pytest.mark.parametrize("prefix", ["", "{number}", "{number}/{label}", "a/b {label}", "{{plain}}"])
def test_a_prefix_may_use_number_and_label(prefix: str) -> None:
    assert prefix_faults(prefix) == []


@pytest.mark.parametrize(
    "prefix",
    [
        "/abs",
        "a//b",
        "../x",
        "a/./b",
        "{customer}",
        "{number.x}",
        "{number!r}",
        "{label:>9}",
        "{",
        "{}",
        "\n",
        "x" * 501,
    ],
)
def test_any_other_prefix_is_refused(prefix: str) -> None:
    assert len(prefix_faults(prefix)) == 1


@pytest.mark.parametrize("name", ["", "-x", "a/b", "a\\b", ".", "..", "x" * 61, "a\nb", "\u3000"])
def test_a_destination_has_a_name_that_can_be_typed_and_linked(name: str) -> None:
    assert [fault.field for fault in name_faults(name)] == ["name"]


@pytest.mark.parametrize("name", ["x" * 60, "Büro in Genève", "出\u3000力", "my-bucket.2"])
def test_a_destination_is_called_as_people_call_it(name: str) -> None:
    assert name_faults(name) == []


@given(label=st.text(max_size=300), prefix=st.sampled_from(["", "{label}", "{number}/{label}/x", "{label}/{label}"]))
def test_no_label_leads_out_of_its_prefix(label: str, prefix: str) -> None:
    key = key_of(prefix, DEFAULT_ARCHIVE_FILENAME, number="CO-2026-000001", label=label, suborder=7)
    parts = PurePosixPath(key).parts
    assert not key.startswith("/")
    assert "\\" not in key
    assert not {"", ".", ".."} & set(parts)
    assert len(key.encode()) <= MAX_KEY_BYTES
    assert parts[-1].startswith("CO-2026-000001_")
    assert parts[-1].endswith("_7.zip")


@pytest.mark.parametrize(
    "template",
    [
        DEFAULT_ARCHIVE_FILENAME,
        "{suborder}-of-{number}.zip",
        "{number}.{suborder}.zip",
    ],
)
def test_an_archive_is_called_as_the_template_says(template: str) -> None:
    assert check_archive_filename(template) == template
    names = {archive_filename(f"CO-2026-{n:06}", "same", part, template) for n in range(3) for part in range(3)}
    assert len(names) == 9


@pytest.mark.parametrize(
    "template",
    ["{number}.zip", "{suborder}.zip", "{number}_{suborder}", "../{number}_{suborder}.zip", "{number}{suborder", "",
     "{number}_{suborder}_{customer}.zip", "{number}_{suborder!r}.zip", "{number.x}_{suborder}.zip", "{}.zip"],
)  # fmt: skip
def test_a_template_by_which_two_archives_could_share_a_name_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"give|use"):
        check_archive_filename(template)


def test_nothing_shows_a_secret_by_accident() -> None:
    secret = Credentials.model_validate({"access_key_id": "AKIA", "secret_access_key": "hush"})
    assert "hush" not in f"{secret!r}{secret}{secret.model_dump()}{secret.model_dump_json()}"
    assert Credentials.model_validate_json(secret.revealed()) == secret


def test_a_location_names_what_was_written() -> None:
    assert DestinationLocation(kind=DestinationKind.S3, bucket="b").location("k/a.zip") == "s3://b/k/a.zip"
    assert DestinationLocation(kind=DestinationKind.LOCAL, folder="/exports").location("k/a.zip") == "/exports/k/a.zip"
