"""What a client would rather have: `Accept` and `Accept-Language` (RFC 9110, section 12.5)."""

from collections.abc import Sequence


def preferred(header: str, offered: Sequence[str]) -> str:
    """Which of what is offered a header prefers; the first where it says nothing, or wants them equally.

    The most exact range that fits one counts: `text/html` before `text/*`, `fr` for `fr-CH`, and `*` last.
    """
    weights: dict[str, float] = {}
    for piece in header.lower().split(","):
        name, *parameters = (word.strip() for word in piece.split(";"))
        weight = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        try:
            weights.setdefault(name, float(weight))
        except ValueError:
            continue
    for name, value in list(weights.items()):
        weights.setdefault(name.partition("-")[0], value)

    def weight_of(one: str) -> float:
        ranges = (one, f"{one.partition('/')[0]}/*", "*/*", "*")
        return next((weights[name] for name in ranges if name in weights), 0.0)

    return max(offered, key=weight_of)
