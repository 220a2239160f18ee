"""Where a device keeps its key. The TypeScript client uses the same files."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from .errors import StoreError


class Store(Protocol):
    """Small texts by name; names hold letters, digits, ``.``, ``-`` and ``_`` only. What is kept is a secret."""

    def get(self, name: str) -> str | None: ...

    def set(self, name: str, text: str) -> None: ...

    def delete(self, name: str) -> None: ...


class MemoryStore:
    """Forgets everything with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        return self._kept.get(name)

    def set(self, name: str, text: str) -> None:
        self._kept[name] = text

    def delete(self, name: str) -> None:
        self._kept.pop(name, None)


def data_folder(
    app: str = "default",
    *,
    env: Mapping[str, str] | None = None,
    platform: str = sys.platform,
    home: Path | None = None,
) -> Path:
    """
    The usual folder for an application's data: ``$XDG_DATA_HOME`` or ``~/.local/share`` (XDG Base Directory
    Specification), ``~/Library/Application Support`` on macOS, ``%APPDATA%`` on Windows; in it ``licensify/<app>``.
    """
    env = os.environ if env is None else env
    home = Path.home() if home is None else home
    if platform == "win32":
        base = Path(env.get("APPDATA") or home / "AppData" / "Roaming")
    elif platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        data = env.get("XDG_DATA_HOME", "")
        # The specification has relative paths ignored.
        base = Path(data) if data.startswith("/") else home / ".local" / "share"
    return base / "licensify" / app


class FileStore:
    """Files with mode 0600 in a folder with mode 0700. A file that others can read is refused, as ssh does."""

    def __init__(self, app: str = "default", *, folder: Path | None = None) -> None:
        self.folder = data_folder(app) if folder is None else folder

    def get(self, name: str) -> str | None:
        file = self.folder / name
        try:
            mode = file.stat().st_mode
            if os.name != "nt" and mode & 0o077:
                raise _readable_by_others(file, mode)
            return file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            return "\N{REPLACEMENT CHARACTER}"  # damaged, which its reader says in its own words
        except OSError as error:
            raise StoreError(f"{file} cannot be read: {error}", code="store_unusable") from error

    def set(self, name: str, text: str) -> None:
        file = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _replace(file, text)
        except OSError as error:
            raise StoreError(f"{file} cannot be written: {error}", code="store_unusable") from error

    def delete(self, name: str) -> None:
        file = self.folder / name
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{file} cannot be removed: {error}", code="store_unusable") from error


def _replace(file: Path, text: str) -> None:
    """Whole or not at all, whatever happens meanwhile: written beside it, then renamed."""
    # mkstemp makes it with mode 0600.
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(draft, file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _readable_by_others(file: Path, mode: int) -> StoreError:
    return StoreError(
        f"{file} holds a secret and is open to other users of this machine (mode {stat.S_IMODE(mode):04o}): "
        "run chmod 600 on it; if others may have read it, activate again for a new key",
        code="store_open_to_others",
    )
