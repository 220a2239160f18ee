"""Everything that this client raises by itself."""

from __future__ import annotations

from email.message import Message

from .models import Quota


class LicensifyError(Exception):
    """Every failure that this client reports."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int = 0,
        request_id: str | None = None,
        retry_after: float | None = None,
        headers: Message | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        #: The gateway's error codes, a provider's own, or one of this client's: ``not_activated``, ``unreachable`` …
        self.code = code
        #: The HTTP status; 0 where there was no answer.
        self.status = status
        #: The gateway's id of the request, for its operator.
        self.request_id = request_id
        #: Seconds to wait before another attempt.
        self.retry_after = retry_after
        #: Those of the answer.
        self.headers = headers


class LicenseError(LicensifyError):
    """The license itself does not allow it: unknown, revoked, expired or suspended."""


class DeviceError(LicensifyError):
    """This device is not, or no longer, or cannot be activated."""


class SignatureError(LicensifyError):
    """The signature of a request was refused, for the reason that the message says."""


class QuotaError(LicensifyError):
    """The daily or the monthly limit is used up; ``retry_after`` says when it is not."""

    #: What the answer said about the quota.
    quota: Quota | None = None


class TooManyAttemptsError(LicensifyError):
    """Too many unknown license keys came from this address."""


class UnavailableError(LicensifyError):
    """The gateway, or the provider behind it, cannot be reached or cannot serve at the moment."""


class IncompleteError(LicensifyError):
    """An answer broke off before its end. What came of it is not the whole."""


class ProviderError(LicensifyError):
    """The provider's own refusal of a request, or its own error."""


class StoreError(LicensifyError):
    """What is kept on this device cannot be used: damaged, unreadable, or readable by others."""
