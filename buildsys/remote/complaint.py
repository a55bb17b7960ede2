"""What a remote said no with, as a person should read it.

Knows nothing of what was asked. obstore has few types of error, so some facts are found in its words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from buildsys.errors import RemoteError
from buildsys.manifest.sharing import Remote as Settings

_CREDENTIALS: Final = {
    "s3": "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`",
    "gs": "set `GOOGLE_APPLICATION_CREDENTIALS`",
    "az": "set `AZURE_STORAGE_ACCOUNT_NAME` and `AZURE_STORAGE_ACCOUNT_KEY`",
}
_AGAIN: Final = "run the command again: what arrived is not moved again"

_ASKED_METADATA: Final = re.compile(r"169\.254\.|metadata\.google\.internal|/metadata/")
"""Where no credentials are set, obstore asks the machine's cloud for some, which only there exists."""
_STATUS: Final = re.compile(r"status code: (\d+)[^:\n]*(?:: (.*))?")
_CODE: Final = re.compile(r"<Code>(\w+)</Code>")

_BY_WORDS: Final[Sequence[tuple[str, str, str]]] = (
    ("NoSuchBucket", "has no bucket `{bucket}`", "create the bucket, or correct `url` in `[remote]`"),
    ("ContainerNotFound", "has no bucket `{bucket}`", "create the bucket, or correct `url` in `[remote]`"),
    ("Account must be specified", "needs the name of its account", "set `AZURE_STORAGE_ACCOUNT_NAME`"),
    ("dns error", "can't be reached: no server has that name", "check the network, and the server's name"),
    ("ConnectionRefused", "can't be reached: connection refused", "check that its server is running"),
    ("without LOCATION", "lies in another region", "set `region` in `[remote]`"),
    ("PermanentRedirect", "lies in another region", "set `region` in `[remote]`"),
    ("InvalidAccessKeyId", "does not know these credentials", "correct the credentials in the environment"),
    (
        "SignatureDoesNotMatch",
        "does not take these credentials",
        "correct the credentials in the environment",
    ),
    ("BadDigest", "received other bytes than were sent", _AGAIN),
    ("os error 13", "can't be used: permission denied", "check who owns the folder and its mode"),
    ("os error 28", "has no space left", "free some space there, then run the command again"),
    ("os error 30", "is on a read-only file system", "mount it writable"),
)
"""Words of obstore or of a provider, what they mean, and what to do. The first that is found counts."""


def complaint(error: Exception, settings: Settings) -> RemoteError:
    """`error` of obstore as a fact and one action."""
    text = str(error)
    if settings.scheme in _CREDENTIALS and _ASKED_METADATA.search(text):
        fact = f"there are no credentials for the remote `{settings.url}`"
        return RemoteError(fact, _CREDENTIALS[settings.scheme])
    for words, fact, hint in _BY_WORDS:
        if words in text:
            return RemoteError(f"the remote `{settings.url}` {fact.format(bucket=settings.bucket)}", hint)
    if type(error).__name__ in ("PermissionDeniedError", "UnauthenticatedError"):
        return _refused(text, settings)
    return _unwell(text, settings)


def _refused(text: str, settings: Settings) -> RemoteError:
    """For 401 and 403. A server that is asked for what is not there says 403 to who may not list."""
    found = _CODE.search(text)
    why = f": {found[1]}" if found else ""
    if "PUT" in text.partition(" in ")[0] or "POST" in text.partition(" in ")[0]:
        hint = "have these credentials allowed to put objects there"
        return RemoteError(f"the remote `{settings.url}` refuses to be written{why}", hint)
    hint = "have these credentials allowed to list the bucket and to get its objects"
    return RemoteError(f"the remote `{settings.url}` refuses to be read{why}", hint)


def _unwell(text: str, settings: Settings) -> RemoteError:
    """For all that may pass: the server's own errors, a connection that ends, an answer that never comes."""
    if found := _STATUS.search(text):
        code = _CODE.search(text)
        why = f"answered {found[1]}{f' {code[1]}' if code else ''}"
    elif "TimedOut" in text or "kind: Timeout" in text:
        why = "did not answer in time"
    elif "error sending request" in text or "HTTP error" in text:
        why = "can't be reached: the connection ended"
    else:
        # The first line; a dump of the error's fields follows.
        why = f"failed: {text.strip().partition(chr(10))[0]}"
    return RemoteError(f"the remote `{settings.url}` {why}", _AGAIN)
