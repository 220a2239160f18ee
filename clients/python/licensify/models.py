"""What the gateway tells, as plain values. Limits count requests, or devices; None stands for unlimited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from typing import Any


@dataclass(frozen=True)
class Quota:
    """What is left, as the last answer said it."""

    limit: int | None
    #: What may still be sent until the reset: the less of the day's rest and the month's.
    remaining: int | None
    reset_at: datetime


@dataclass(frozen=True)
class Activation:
    """What an activation tells."""

    tier: str
    customer_name: str
    expires_at: datetime | None
    daily_limit: int | None
    monthly_limit: int | None
    max_activations: int | None
    hardware_id: str


@dataclass(frozen=True)
class LicenseState:
    """What ``check`` tells."""

    valid: bool
    #: Why not, as an error code.
    reason: str | None
    tier: str
    expires_at: datetime | None
    usage_today: int
    daily_limit: int | None
    usage_this_month: int
    monthly_limit: int | None
    reset_at: datetime


@dataclass(frozen=True)
class Tier:
    """A tier that customers can have."""

    id: str
    name: str
    description: str
    features: tuple[str, ...]
    daily_limit: int | None
    monthly_limit: int | None
    max_devices: int | None
    price_monthly: float | None
    self_service: bool


def read_quota(headers: Message) -> Quota | None:
    """Reads ``X-RateLimit-*``; None where an answer has none, or where counters are away."""
    try:
        return Quota(
            limit=or_unlimited(int(headers["X-RateLimit-Limit"])),
            remaining=or_unlimited(int(headers["X-RateLimit-Remaining"])),
            reset_at=moment(headers["X-RateLimit-Reset"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def read_activation(answer: Mapping[str, Any], hardware_id: str) -> Activation:
    limits = answer["limits"]
    return Activation(
        tier=answer["tier"],
        customer_name=answer["customer_name"],
        expires_at=moment_or_none(answer["expires_at"]),
        daily_limit=or_unlimited(limits["daily_limit"]),
        monthly_limit=or_unlimited(limits["monthly_limit"]),
        max_activations=or_unlimited(limits["max_activations"]),
        hardware_id=hardware_id,
    )


def read_state(answer: Mapping[str, Any]) -> LicenseState:
    return LicenseState(
        valid=answer["valid"] is True,
        reason=answer.get("reason"),
        tier=answer["tier"],
        expires_at=moment_or_none(answer["expires_at"]),
        usage_today=answer["usage_today"],
        daily_limit=or_unlimited(answer["daily_limit"]),
        usage_this_month=answer["usage_this_month"],
        monthly_limit=or_unlimited(answer["monthly_limit"]),
        reset_at=moment(answer["reset_at"]),
    )


def read_tier(tier: Mapping[str, Any]) -> Tier:
    return Tier(
        id=tier["id"],
        name=tier["name"],
        description=tier.get("description") or "",
        features=tuple(tier.get("features") or ()),
        daily_limit=or_unlimited(tier["daily_limit"]),
        monthly_limit=or_unlimited(tier["monthly_limit"]),
        max_devices=or_unlimited(tier["max_devices"]),
        price_monthly=tier.get("price_monthly"),
        self_service=tier.get("self_service") is True,
    )


def or_unlimited(value: int) -> int | None:
    """The gateway writes −1 for unlimited."""
    return None if value == -1 else value


def moment(text: str) -> datetime:
    """ISO 8601 in UTC, as the gateway writes it; Python 3.10 does not read the Z."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else moment(text)
