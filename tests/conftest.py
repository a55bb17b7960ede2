"""What every test shares: no default cache folder, and a git that knows nothing of who runs it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts.kit import account_of

from engines.hosted.account import Account

GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A Painter",
    "GIT_AUTHOR_EMAIL": "painter@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T12:00:00Z",
    "GIT_COMMITTER_NAME": "A Painter",
    "GIT_COMMITTER_EMAIL": "painter@example.org",
    "GIT_COMMITTER_DATE": "2026-01-01T12:00:00Z",
}
# A suite that a git hook runs gets these from git; a test's own git would work on the outer repository.
OUTER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY")


@pytest.fixture(scope="session", autouse=True)
def _no_default_cache() -> Iterator[None]:
    """`ARTLOCK_TEST` makes the default cache folder raise: each test says where its store is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARTLOCK_TEST", "1")
        patch.delenv("ARTLOCK_CACHE_DIR", raising=False)
        for name in OUTER:
            patch.delenv(name, raising=False)
        for name, value in GIT.items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The work tree of a real, empty git repository on branch `main`."""
    folder = tmp_path / "repository"
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(folder)], check=True)
    return folder


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account at a provider that nobody asks."""
    return account_of(tmp_path, monkeypatch)
