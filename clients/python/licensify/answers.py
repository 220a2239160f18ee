"""The typed error for an answer that is none of what was asked for."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

from .errors import (
    DeviceError,
    LicenseError,
    LicensifyError,
    ProviderError,
    QuotaError,
    SignatureError,
    TooManyAttemptsError,
    UnavailableError,
)
from .models import read_quota

_OF_QUOTA = frozenset({"rate_limit_exceeded", "monthly_limit_exceeded"})
_TYPES: dict[str, type[LicensifyError]] = {
    "invalid_license_key": LicenseError,
    "license_expired": LicenseError,
    "license_suspended": LicenseError,
    "device_limit_reached": DeviceError,
    "hardware_not_activated": DeviceError,
    "invalid_proxy_key": DeviceError,
    "public_key_required": DeviceError,
    "invalid_signature": SignatureError,
    "too_many_attempts": TooManyAttemptsError,
    "rate_limit_exceeded": QuotaError,
    "monthly_limit_exceeded": QuotaError,
}
_AWAY = frozenset({502, 503, 504})


def error_of(status: int, headers: Message, body: bytes) -> LicensifyError:
    """What went wrong, by the answer's status and body."""
    by, message, code = _what_was_said(status, body)
    kind: type[LicensifyError] = UnavailableError if status in _AWAY else LicensifyError
    if by == "provider":
        kind = ProviderError
    elif by == "gateway":
        kind = _TYPES.get(code, kind)
    error = kind(
        message,
        code=code,
        status=status,
        request_id=headers.get("X-Licensify-Request-Id"),
        retry_after=read_retry_after(headers.get("Retry-After")),
        headers=headers,
    )
    if isinstance(error, QuotaError):
        error.quota = read_quota(headers)
    return error


def read_retry_after(value: str | None) -> float | None:
    """Seconds; the header holds these or a date (RFC 9110 §10.2.3)."""
    try:
        if value is None:
            return None
        if value.strip().replace(".", "", 1).isdigit():
            return float(value)
        wait = parsedate_to_datetime(value) - datetime.now(timezone.utc)
        return max(0.0, wait.total_seconds())
    except (TypeError, ValueError):
        return None


def parse_object(body: bytes) -> dict[str, Any] | None:
    """A JSON object, or None."""
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def first_text(*values: Any) -> str:
    """The first of what a body may hold that is a text or a number."""
    for value in values:
        if isinstance(value, (str, int, float)) and value != "":
            return str(value)
    return ""


def _what_was_said(status: int, body: bytes) -> tuple[str, str, str]:
    """By whom, in which words, with which code."""
    answer = parse_object(body) or {}
    error, code = answer.get("error"), answer.get("code")
    if isinstance(error, str) and isinstance(code, str):
        return "gateway", error, code
    if isinstance(error, dict):
        code = first_text(error.get("code"), error.get("type"), f"http_{status}")
        # A provider's own rate limit can have the same code: its type is another one.
        is_quota = error.get("type") == "rate_limit_exceeded" and code in _OF_QUOTA
        message = first_text(error.get("message"), body.decode("utf-8", "replace"))
        return "gateway" if is_quota else "provider", message, code
    # A load balancer's page, or something that is no gateway at all.
    if status in _AWAY:
        return "other", f"The gateway cannot be reached at the moment (status {status})", "unexpected_answer"
    return (
        "other",
        f"What answered (with status {status}) is no Licensify gateway: check the URL",
        "unexpected_answer",
    )
