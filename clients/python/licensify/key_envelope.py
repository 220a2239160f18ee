"""The key in the answer of ``/activate``."""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .errors import LicensifyError


def open_key_envelope(encrypted_key: str, iv: str, license_key: str) -> str:
    """
    Decrypts it: AES-256-CBC with PKCS#7 padding under the first 32 bytes of the license key's UTF-8, zero-padded.

    Raises LicensifyError where it was encrypted under another one.
    """
    key = license_key.encode()[:32].ljust(32, b"\0")
    try:
        vector = base64.b64decode(iv, validate=True)
        decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
        padded = decryptor.update(base64.b64decode(encrypted_key, validate=True)) + decryptor.finalize()
        unpadder = padding.PKCS7(128).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except (ValueError, binascii.Error) as error:
        raise LicensifyError(
            "The key in the answer of /activate cannot be decrypted with this license key", code="undecryptable"
        ) from error
