"""Fields of requests as they are meant, over however many lines they come (RFC 9110, section 5.3)."""

from starlette.datastructures import Headers


def folded(headers: Headers) -> dict[str, str]:
    """Each field with the values of all its lines, commas between them; of one that is no list, that makes nonsense."""
    return {name: ", ".join(headers.getlist(name)) for name in headers.keys()}  # noqa: SIM118 - they hold a name twice
