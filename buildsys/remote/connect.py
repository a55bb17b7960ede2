"""From the `[remote]` table to a store of obstore. The one module that chooses its options.

Knows nothing of what lies there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from buildsys.errors import RemoteError
from buildsys.manifest.sharing import Remote as Settings
from buildsys.remote.complaint import complaint
from buildsys.remote.model import Patience

if TYPE_CHECKING:
    from obstore.store import (
        AzureConfig,
        AzureStore,
        ClientConfig,
        GCSConfig,
        GCSStore,
        LocalStore,
        RetryConfig,
        S3Config,
        S3Store,
    )

    Bucket = S3Store | GCSStore | AzureStore | LocalStore

_WHOLE_REQUEST: Final = "1h"
"""A slow line is no error, a silent one is: obstore's own 30 s for all of a request would be one."""


def connect(settings: Settings, patience: Patience) -> Bucket:
    """Where `settings` lead. Asks nothing of it yet. Raises `RemoteError`."""
    try:
        import obstore  # noqa: F401, PLC0415 - only who has a remote needs it
    except ModuleNotFoundError as error:
        fact = f"the remote `{settings.url}` needs obstore, which is not installed"
        raise RemoteError(fact, "run `pip install 'artlock[remote]'`") from error
    from obstore.exceptions import BaseError  # noqa: PLC0415 - see above

    try:
        return _opened(settings, patience)
    except (BaseError, ValueError) as error:
        raise complaint(error, settings) from error


def _opened(settings: Settings, patience: Patience) -> Bucket:
    from obstore.store import AzureStore, GCSStore, LocalStore, S3Store  # noqa: PLC0415 - see `connect`

    prefix = settings.prefix or None
    client, retry = _client(settings, patience), _retry(patience)
    match settings.scheme:
        case "file":
            # Never made: a disk that is not mounted would be taken for an empty remote, and filled.
            if not Path(settings.prefix).is_dir():
                raise RemoteError(
                    f"the remote's folder `{settings.prefix}` is not there",
                    f"mount it, or run `mkdir -p {settings.prefix}`",
                )
            return LocalStore(settings.prefix)
        case "s3":
            # A server that is sent the SHA-256 refuses other bytes, and keeps it with the object.
            config = {"checksum_algorithm": "SHA256", **_own(settings)}
            return S3Store(
                settings.bucket,
                prefix=prefix,
                config=cast("S3Config", config),
                client_options=client,
                retry_config=retry,
            )
        case "gs":
            options = cast("GCSConfig", _own(settings))
            return GCSStore(
                settings.bucket, prefix=prefix, config=options, client_options=client, retry_config=retry
            )
        case "az":
            azure = cast("AzureConfig", _own(settings))
            return AzureStore(
                settings.bucket, prefix=prefix, config=azure, client_options=client, retry_config=retry
            )
        case _:
            detail = f"the manifest let `{settings.scheme}` pass"
            raise AssertionError(detail)


def _own(settings: Settings) -> dict[str, object]:
    """What the manifest says; the rest obstore takes from the environment, by the providers' own names."""
    chosen = {"endpoint": settings.endpoint, "region": settings.region}
    anonymous = {"skip_signature": True} if settings.anonymous else {}
    return {**{key: value for key, value in chosen.items() if value}, **anonymous}


def _client(settings: Settings, patience: Patience) -> ClientConfig:
    return {
        "connect_timeout": patience.connect,
        "read_timeout": patience.silence,
        "timeout": _WHOLE_REQUEST,
        "allow_http": settings.endpoint.startswith("http://"),
        "user_agent": "artlock",
    }


def _retry(patience: Patience) -> RetryConfig:
    return {
        "max_retries": patience.retries,
        "retry_timeout": patience.give_up,
        "backoff": {"init_backoff": patience.pause, "max_backoff": 40 * patience.pause, "base": 2},
    }
