"""What requests are signed with, by what activation told, and with the server's time."""

from __future__ import annotations

from collections.abc import Callable
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Literal, get_args

from .errors import LicensifyError
from .kept import Kept
from .signatures import message_headers, stamp_of, timestamp_at

#: As the tier asks; never; always with the proxy key; or always with a key of the device, which activation makes.
Signing = Literal["auto", "none", "hmac", "ed25519"]

#: Nearer than this to the server's time, a signature was not refused for its time: 300 seconds, less some travel.
_SAME_TIME = 240


class Signer:
    """Raises LicensifyError for a mode that is none."""

    def __init__(self, mode: Signing, now: Callable[[], float]) -> None:
        if mode not in get_args(Signing):
            raise LicensifyError(
                f"signing takes {', '.join(get_args(Signing))}, not {mode!r}", code="invalid_signing"
            )
        self.mode = mode
        self._now = now
        #: What the server's clock is ahead of ours, where that matters. Seconds.
        self.offset = 0.0

    def kind_for(self, kept: Kept) -> Literal["hmac", "ed25519"] | None:
        """What a request with this key is signed with; None where with nothing."""
        if self.mode == "none":
            return None
        # What is bound to a key of the device is refused without it, whatever else it is signed with.
        if kept.private_key is not None:
            return "ed25519"
        return "hmac" if self.mode == "hmac" or kept.signing == "hmac-sha256" else None

    def fields(self, kept: Kept, provider: str, json: str) -> dict[str, str]:
        """The fields of an envelope. json: the provider's request as it stands in the envelope."""
        if self.kind_for(kept) != "hmac":
            return {}
        timestamp = timestamp_at(self._now() + self.offset)
        # From its first character to its last, without the space that JSON allows around it.
        body = json.strip(" \t\r\n").encode()
        signature = stamp_of(kept.proxy_key, timestamp=timestamp, provider=provider, body=body)
        return {"timestamp": timestamp, "signature": signature}

    def proof(self, kept: Kept, *, target: str, body: bytes) -> dict[str, str]:
        """The headers that prove possession of the device's key. target: path and query as the gateway sees them."""
        if kept.private_key is None or self.kind_for(kept) != "ed25519":
            return {}
        created = int(self._now() + self.offset)
        return message_headers(kept.private_key, method="POST", target=target, body=body, created=created)

    def correct(self, headers: Message | None, used: float) -> bool:
        """
        Takes the server's time over, where a signature may have been refused because of ours: whether signing again makes
        a difference. used: the offset that was signed with.
        """
        try:
            date = "" if headers is None else headers.get("Date", "")
            server = parsedate_to_datetime(date).timestamp()
        except (TypeError, ValueError):
            return False
        if abs(server - (self._now() + used)) < _SAME_TIME:
            return False
        self.offset = server - self._now()
        return True
