"""The shell that git runs artlock with: the hook's script, and the commands in git's settings.

Everything here must also do where artlock is gone again: then a hook says so, and git merges and shows files
as it does by itself. Knows nothing of where they are written.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

DRIVER: Final = "artlock"
"""The name under which git's settings and attributes know what artlock does."""

_MARK: Final = "# Written by `artlock hooks install`; `artlock hooks uninstall` removes it."
_PROJECT: Final = re.compile(r"^check (.+)$", re.MULTILINE)

_SCRIPT: Final = """\
#!/bin/sh
{mark}
# Before a commit: do manifest, lock and pictures agree as they are staged?

{run}
listed=
gone=

lines() {{
    tr -d '\\001-\\037\\177' | tr '\\000' '\\n'
}}

check() {{
    file="$1/assets.toml"
    listed="$listed
${{file#./}}
"
    if [ -f "$file" ]; then
        run check --staged --quiet -C "$1" || exit $?
    elif [ -z "$(git ls-files -- ":(top,literal)${{file#./}}")" ] &&
        git cat-file -e "HEAD:${{file#./}}" 2>/dev/null; then
        gone=${{gone:-$1}}
    fi
}}

# A project that this commit moves is in no line below: without a word, it would not be checked any more.
moved() {{
    [ -z "$gone" ] || git diff --cached --name-only --no-renames --diff-filter=A -z -- \\
        ':(top,glob)**/assets.toml' | lines | while IFS= read -r file; do
        case "$listed" in *"
$file
"*) continue ;; esac
        file=${{file%assets.toml}}
        file=${{file:-.}}
        file=${{file%/}}
        printf '%s\\n' >&2 \\
            "error: \\`$gone\\` has no \\`assets.toml\\` any more, and no hook checks \\`$file\\`" \\
            "" "hint: run \\`artlock hooks install\\` in \\`$file\\`"
        exit 1
    done
}}

missing() {{
    echo "error: artlock is not here, so what is staged was not checked" >&2
    echo >&2
    echo "hint: install artlock, and run \\`artlock hooks install\\`" >&2
    exit 1
}}

{projects}

moved
"""

_RUN: Final = """\
run() {{
    if [ -x {python} ]; then
        {python} -P -m buildsys "$@"
    elif command -v artlock >/dev/null 2>&1; then
        artlock "$@"
    else
        missing
    fi
}}
"""
"""The interpreter that installed the hook comes first: a program with windows has no `PATH` of a shell."""


def script(projects: Iterable[str], python: str = sys.executable) -> str:
    """The hook `pre-commit` for `projects`, folders below the top of the work tree."""
    lines = [f"check {shlex.quote(project)}" for project in sorted(set(projects))]
    run = _RUN.format(python=_quoted(python))
    return _SCRIPT.format(mark=_MARK, run=run, projects="\n".join(lines))


def is_own(text: str) -> bool:
    """Whether a hook is one that artlock wrote."""
    return _MARK in text.splitlines()[:2]


def projects_of(text: str) -> tuple[str, ...]:
    """The projects that a hook of artlock's checks."""
    return tuple(word for line in _PROJECT.findall(text) for word in shlex.split(line))


def settings(python: str = sys.executable) -> Mapping[str, str]:
    """Git's settings of one clone, key to value."""
    run = (
        f'run() {{ if [ -x {_quoted(python)} ]; then {_quoted(python)} -P -m buildsys "$@"; '
        'elif command -v artlock >/dev/null 2>&1; then artlock "$@"; else return 127; fi; }; '
    )
    # 0: merged, 21: merged but for conflicts. With anything else nothing was merged, and git's own way must
    # be gone: a driver that just failed would leave our side there, without a mark, as if it were the merge.
    merge = (
        "run git merge-lock %O %A %B %P; case $? in 0) exit 0;; 21) exit 1;; esac; "
        "git merge-file --marker-size=%L -L ours -L base -L theirs %A %O %B"
    )
    # A `git diff` that can't run its filter dies, and shows nothing where both sides read the same.
    other = '{ echo "artlock is not here to tell more"; git hash-object "$1"; }'
    show = f'f() {{ run git textconv "$1" || {other}; }}; f'
    return {
        f"merge.{DRIVER}.name": "assets.lock, merged asset by asset",
        f"merge.{DRIVER}.driver": run.replace("%", "%%") + merge,
        f"diff.{DRIVER}.textconv": run + show,
        f"difftool.{DRIVER}.cmd": run + 'run git difftool "$LOCAL" "$REMOTE"',
    }


def attributes(out: str) -> tuple[str, ...]:
    """Lines of a project's `.gitattributes`: of use in a clone with the settings, no harm in one without."""
    pictures = [f"/{out}/**/*.{suffix}" for suffix in ("png", "webp")]
    return (
        f"assets.lock merge={DRIVER}",
        *(f"{_pattern(pattern)} diff={DRIVER}" for pattern in pictures),
    )


def _pattern(text: str) -> str:
    return f'"{text}"' if re.search(r"\s", text) else text


def _quoted(path: str) -> str:
    # Git for Windows runs it all in a shell of its own, to which a backslash is no part of a path.
    return shlex.quote(Path(path).as_posix())
