"""A licensed device of a Licensify gateway."""

from .client import Client
from .errors import (
    DeviceError,
    IncompleteError,
    LicenseError,
    LicensifyError,
    ProviderError,
    QuotaError,
    SignatureError,
    StoreError,
    TooManyAttemptsError,
    UnavailableError,
)
from .events import StreamEvent, text_of
from .models import Activation, LicenseState, Quota, Tier
from .signer import Signing
from .store import FileStore, MemoryStore, Store

__version__ = "0.1.0"

__all__ = [
    "Activation",
    "Client",
    "DeviceError",
    "FileStore",
    "IncompleteError",
    "LicenseError",
    "LicenseState",
    "LicensifyError",
    "MemoryStore",
    "ProviderError",
    "Quota",
    "QuotaError",
    "SignatureError",
    "Signing",
    "Store",
    "StoreError",
    "StreamEvent",
    "Tier",
    "TooManyAttemptsError",
    "UnavailableError",
    "text_of",
]
