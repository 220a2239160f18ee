"""A device's own Ed25519 key, as a JSON Web Key (RFC 8037): what the TypeScript client keeps too."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from .errors import LicensifyError


@dataclass(frozen=True)
class DeviceKey:
    #: The public key, raw, in base64url: what activation sends, and signatures name.
    x: str
    #: The private key. It is sent nowhere.
    d: str

    def sign(self, message: bytes) -> bytes:
        return _opened(self.d).sign(message)

    def written(self) -> dict[str, str]:
        return {"kty": "OKP", "crv": "Ed25519", "x": self.x, "d": self.d}


def make_device_key() -> DeviceKey:
    """Raises LicensifyError where this machine's OpenSSL has no Ed25519."""
    try:
        key = Ed25519PrivateKey.generate()
    except UnsupportedAlgorithm as error:
        raise LicensifyError(
            "There is no Ed25519 here, which proof of possession needs", code="no_ed25519"
        ) from error
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return DeviceKey(_public(key), _base64url(raw))


def read_device_key(value: Any) -> DeviceKey | None:
    """None where it is no such key, or its halves are not of one pair."""
    if not isinstance(value, dict) or (value.get("kty"), value.get("crv")) != ("OKP", "Ed25519"):
        return None
    x, d = value.get("x"), value.get("d")
    try:
        if isinstance(x, str) and isinstance(d, str) and _public(_opened(d)) == x:
            return DeviceKey(x, d)
    except (ValueError, binascii.Error):
        pass
    return None


def _opened(d: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(d + "=" * (-len(d) % 4)))


def _public(key: Ed25519PrivateKey) -> str:
    return _base64url(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
