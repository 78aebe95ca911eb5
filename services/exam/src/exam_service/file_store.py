"""Where the bytes of files lie: a folder, or S3. What they are, and whose, is in the database."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import obstore
from examkit.errors import unavailable
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

if TYPE_CHECKING:
    from obstore.store import RetryConfig

# Within the time that a request has; by itself the library goes on for three minutes.
_RETRIES: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}


def url_problem(url: str) -> str | None:
    """What is wrong with a FILES_URL, as a sentence's end; None when it is fine."""
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return None
    if parts.scheme == "s3" and parts.netloc:
        return None
    return "must be file:///folder or s3://bucket/prefix"


class FileStore:
    """`url`: file:///folder, which is made; or s3://bucket/prefix, with AWS_* in the environment."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._folder = Path(unquote(parts.path)) if parts.scheme == "file" else None
        self._store: ObjectStore
        if self._folder is None:
            self._store = S3Store.from_url(url, retry_config=_RETRIES)
        else:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._store = LocalStore(self._folder)

    async def put(self, path: str, data: bytes) -> None:
        """Keep these bytes; they are durable when this returns. Raises unavailable."""
        try:
            # In one piece: whatever breaks leaves no parts behind, which a bucket would keep for good.
            await obstore.put_async(self._store, path, data, use_multipart=False)
            if self._folder is not None:
                await asyncio.to_thread(_settle, self._folder / path, self._folder)
        except (BaseError, OSError) as error:
            raise unavailable("The file can't be kept at this moment. Try again.") from error

    async def get(self, path: str) -> bytes | None:
        """The bytes; None where there are none. Raises unavailable."""
        try:
            found = await obstore.get_async(self._store, path)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise unavailable("The file can't be read at this moment. Try again.") from error

    async def delete(self, path: str) -> None:
        """Remove what is there, if anything is. Raises unavailable."""
        try:
            await obstore.delete_async(self._store, path)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise unavailable("The file can't be removed at this moment.") from error


def _settle(path: Path, root: Path) -> None:
    """To the disk, with the folders that name it: a library that writes files leaves that to chance."""
    for each in (path, *path.parents):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if each == root:
            return
