"""What a device keeps of its activation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal, cast

from .answers import parse_object
from .device_key import DeviceKey, read_device_key
from .errors import StoreError

Demanded = Literal["hmac-sha256", "ed25519"]


@dataclass(frozen=True)
class Kept:
    """The TypeScript client reads and writes the same."""

    url: str
    hardware_id: str
    proxy_key: str
    #: Absent where the application did not want it kept: then only it can activate again.
    license_key: str | None = None
    #: What the gateway asks requests with this key to be signed with.
    signing: Demanded | None = None
    #: What the proxy key is bound to.
    private_key: DeviceKey | None = None


def demanded(value: object) -> Demanded | None:
    return cast(Demanded, value) if value in ("hmac-sha256", "ed25519") else None


def write_kept(kept: Kept) -> str:
    fields = {
        "version": 1,
        "url": kept.url,
        "license_key": kept.license_key,
        "hardware_id": kept.hardware_id,
        "proxy_key": kept.proxy_key,
        "signing": kept.signing,
        "private_key": None if kept.private_key is None else kept.private_key.written(),
    }
    present = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(present, indent=2, ensure_ascii=False) + "\n"


def read_kept(text: str, name: str) -> Kept:
    """Raises StoreError where the text is not what ``write_kept`` made of one."""
    fields = parse_object(text.encode("utf-8", "replace")) or {}
    texts = [fields.get(field) for field in ("url", "hardware_id", "proxy_key")]
    license_key, signing = fields.get("license_key"), fields.get("signing")
    private_key = read_device_key(fields.get("private_key"))
    is_whole = (
        fields.get("version") == 1
        and all(isinstance(value, str) for value in texts)
        and isinstance(license_key, (str, type(None)))
        and (signing is None or demanded(signing) is not None)
        and (fields.get("private_key") is None or private_key is not None)
    )
    if not is_whole:
        raise StoreError(
            f'What is kept as "{name}" is damaged: activate again, which makes a new key', code="store_damaged"
        )
    url, hardware_id, proxy_key = (str(value) for value in texts)
    return Kept(url, hardware_id, proxy_key, license_key, demanded(signing), private_key)
