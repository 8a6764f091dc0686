"""Names with commas between them, and in them."""

import pytest

from models.written_names import MAX_PIECES, names_meant, possible_names

LONG = ["p"] * MAX_PIECES


@pytest.mark.parametrize(
    ("text", "known", "meant"),
    [
        ("a,b", {"a", "b"}, ["a", "b"]),
        # Whoever names two that there are means these.
        ("a,b", {"a", "b", "a,b"}, ["a", "b"]),
        ("a,b", {"a,b"}, ["a,b"]),
        ("a,b", {"b", "a,b"}, ["b", "a,b"]),
        ("x,a,b,y", {"x", "y", "a,b"}, ["x", "y", "a,b"]),
        ("a,b,c", {"a,b", "b,c"}, ["a,b", "b,c"]),
        ("a, b", {"a,b"}, []),
        ("a,c", {"a,b", "b"}, []),
        ("a,a,a", {"a"}, ["a"]),
        (",".join(LONG), {",".join(LONG)}, [",".join(LONG)]),
        (",".join(["p", *LONG]), {",".join(["p", *LONG])}, []),
    ],
)
def test_a_comma_is_in_a_name_where_there_is_none_without_it(text: str, known: set[str], meant: list[str]) -> None:
    pieces = text.split(",")
    assert names_meant(pieces, frozenset(known)) == meant
    assert known.intersection(possible_names(pieces)) >= set(meant)


def test_a_thousand_pieces_are_less_than_eight_thousand_names() -> None:
    pieces = [str(number) for number in range(1000)]
    assert len(possible_names(pieces)) < MAX_PIECES * len(pieces)
