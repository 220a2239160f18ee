"""This device's key: where it comes from, where it is kept, and how it is renewed."""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import replace
from typing import Any

from .device_key import DeviceKey, make_device_key
from .errors import DeviceError, LicensifyError, StoreError
from .key_envelope import open_key_envelope
from .kept import Kept, demanded, read_kept, write_kept
from .machine import machine_id
from .models import Activation, read_activation
from .signer import Signing
from .store import Store
from .transport import Transport

_DEVICE_NAME = "device-id"


class Keys:
    """Safe to use from several threads."""

    def __init__(
        self,
        transport: Transport,
        store: Store,
        *,
        license_key: str | None,
        hardware_id: str | None,
        keep_license_key: bool,
        signing: Signing,
        timeout: float,
    ) -> None:
        self._transport = transport
        self._store = store
        self._name = re.sub(r"[^A-Za-z0-9.-]", "_", transport.url.replace("://", "_", 1)) + ".json"
        self._given_license_key = license_key.strip() if license_key is not None else None
        # Not kept where the application does not want it, but known while this lives.
        self._license_key = self._given_license_key
        self._given_hardware_id = hardware_id
        self._keep_license_key = keep_license_key
        self._signing = signing
        self._timeout = timeout
        self._kept: Kept | None = None
        self._lock = threading.RLock()

    def activate(self, license_key: str, hardware_id: str | None = None) -> Activation:
        """Activates this device and keeps what it got."""
        with self._lock:
            key = license_key.strip()
            hardware = hardware_id if hardware_id is not None else self.hardware_id()
            sent = {"license_key": key, "hardware_id": hardware}
            answer, device_key = self._ask(sent)
            try:
                activation = read_activation(answer, hardware)
                proxy_key = open_key_envelope(answer["encrypted_api_key"], answer["iv"], key)
            except (KeyError, TypeError, ValueError) as error:
                raise LicensifyError(
                    "What answered to /activate is no Licensify gateway: check the URL", code="unexpected_answer"
                ) from error
            self._license_key = key
            # In force even where it then cannot be kept.
            kept_license_key = key if self._keep_license_key else None
            self._kept = Kept(
                self._transport.url,
                hardware,
                proxy_key,
                kept_license_key,
                demanded(answer.get("signing")),
                device_key,
            )
            self._store.set(self._name, write_kept(self._kept))
            return activation

    def _ask(self, sent: dict[str, str]) -> tuple[dict[str, Any], DeviceKey | None]:
        """What ``/activate`` answers: with a key of the device where that is to be bound, a new one each time."""
        known = self._kept or self._read_if_usable()
        # A device that was bound stays so.
        is_bound = known is not None and known.private_key is not None
        if self._signing != "ed25519" and not (self._signing == "auto" and is_bound):
            try:
                return self._transport.json("/activate", sent, timeout=self._timeout), None
            except DeviceError as error:
                if self._signing != "auto" or error.code != "public_key_required":
                    raise
        device_key = make_device_key()
        with_key = {**sent, "public_key": device_key.x}
        return self._transport.json("/activate", with_key, timeout=self._timeout), device_key

    def current(self) -> Kept:
        """What is kept, or a first activation where the application gave a license key. Raises DeviceError."""
        with self._lock:
            if self._kept is not None:
                return self._kept
            # With a license key at hand, what is damaged is replaced.
            kept = self._read() if self._license_key is None else self._read_if_usable()
            if kept is not None and (self._signing != "ed25519" or kept.private_key is not None):
                self._kept = kept
                return kept
            license_key = self._license_key or (kept.license_key if kept is not None else None)
            if license_key is None:
                own = "" if kept is None else " with a key of its own"
                raise _not_activated(f"This device is not activated{own}")
            return self._activated(license_key, kept.hardware_id if kept is not None else None)

    def renew(self, refused: str) -> Kept:
        """
        Another key in place of one that was refused: what another process has kept meanwhile, else a new activation,
        one for all threads that ask at the same time.
        """
        with self._lock:
            if self._kept is not None and self._kept.proxy_key != refused:
                return self._kept
            kept = self._read_if_usable()
            if kept is not None and kept.proxy_key != refused:
                self._kept = kept
                return kept
            known = self._kept or kept
            license_key = self._license_key or (known.license_key if known is not None else None)
            if license_key is None:
                raise _not_activated("This device's key is no longer valid")
            return self._activated(license_key, known.hardware_id if known is not None else None)

    def stamped(self, kept: Kept) -> Kept:
        """The same key, whose requests are to be signed with it from now on: its tier has come to ask for that."""
        stamped = replace(kept, signing="hmac-sha256")
        with self._lock:
            if self._kept == kept:
                self._kept = stamped
                try:
                    if self._read() == kept:
                        self._store.set(self._name, write_kept(stamped))
                except StoreError:
                    pass  # it is learned again at the next start
        return stamped

    def identity(self) -> dict[str, Any]:
        """The license key and the device, for the license endpoints. Raises DeviceError where neither is known."""
        kept = self.current()
        license_key = self._license_key or kept.license_key
        if license_key is None:
            raise _not_activated("The license key is not kept on this device")
        return {"license_key": license_key, "hardware_id": kept.hardware_id}

    def forget(self) -> None:
        """Removes what is kept. The device's generated id stays: it is the same device when it is activated again."""
        with self._lock:
            self._kept = None
            self._license_key = self._given_license_key
            self._store.delete(self._name)

    def hardware_id(self) -> str:
        """The same at each start: given, kept, the machine's own, or generated once and kept."""
        if self._given_hardware_id is not None:
            return self._given_hardware_id
        kept = self._kept or self._read_if_usable()
        if kept is not None:
            return kept.hardware_id
        generated = (self._store.get(_DEVICE_NAME) or "").strip()
        if generated:
            return generated
        machine = machine_id()
        if machine is not None:
            return machine
        made = f"hw-{secrets.token_hex(16)}"
        self._store.set(_DEVICE_NAME, f"{made}\n")
        return made

    def _activated(self, license_key: str, hardware_id: str | None) -> Kept:
        self.activate(license_key, hardware_id)
        assert self._kept is not None
        return self._kept

    def _read(self) -> Kept | None:
        """What is kept for this gateway, and for the device that the application names, if it does."""
        text = self._store.get(self._name)
        if text is None:
            return None
        kept = read_kept(text, self._name)
        is_other_device = self._given_hardware_id not in (None, kept.hardware_id)
        return None if kept.url != self._transport.url or is_other_device else kept

    def _read_if_usable(self) -> Kept | None:
        try:
            return self._read()
        except StoreError:
            return None


def _not_activated(what: str) -> DeviceError:
    return DeviceError(f"{what}: call activate(license_key)", code="not_activated")
