"""What tells one machine from another."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path


def machine_id() -> str | None:
    """
    What an installation of an operating system is told by, hashed, since the id itself is to be kept confidential
    (machine-id(5)); None where there is none, as in many containers. The TypeScript client finds the same.
    """
    try:
        raw = _raw_id()
    except (OSError, subprocess.SubprocessError):
        return None
    name = (raw or "").strip().lower()
    if re.fullmatch(r"[0-9a-f-]{32,36}", name) is None:
        return None
    return "hw-" + hashlib.sha256(f"licensify:{name}".encode()).hexdigest()[:32]


def _raw_id() -> str | None:
    if sys.platform == "darwin":
        text = _run("/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice")
        found = re.search(r'"IOPlatformUUID" = "([^"]+)"', text)
        return found and found[1]
    if sys.platform == "win32":
        text = _run("reg", "query", r"HKLM\SOFTWARE\Microsoft\Cryptography", "/v", "MachineGuid", "/reg:64")
        found = re.search(r"MachineGuid\s+REG_SZ\s+(\S+)", text)
        return found and found[1]
    for file in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        if file.is_file() and (text := file.read_text(encoding="utf-8", errors="replace")).strip():
            return text
    return None


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout
