"""Refusals about downloads and signed links."""

from models.errors.base import Hint, Refusal
from models.errors.failures import Failure


class NotReady(Refusal):
    """It will be there later; `retry_after` says in how many seconds to ask again."""

    code = "not_ready"
    http_status = 503

    def __init__(self, text: str, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(text)


class Gone(Refusal):
    """It was there and is not any more."""

    code = "gone"
    http_status = 410


class FileFailed(Refusal):
    """A file that was ordered and cannot be had; its code is that of the failure, as the archive's notice says it."""

    code = "file_failed"
    http_status = 410

    def __init__(self, failure: Failure) -> None:
        self.code = str(failure.code)
        super().__init__(failure.text)


class LinkRefused(Refusal):
    """A signed link that was made for something else or by nobody, or whose maker has lost the right to it."""

    code = "link_refused"
    http_status = 403
    hint = Hint.LIST_LINKS

    def __init__(self, why: str = "it does not open what it points to") -> None:
        super().__init__(f"this link is refused: {why}; get a new one")


class LinksUnavailable(Refusal):
    """No key is set to sign links with."""

    code = "links_unavailable"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("links cannot be signed here: the operator has to set CONSIGNOR_LINK_KEYS")
