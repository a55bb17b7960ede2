"""Posts for the action: one comment that is written over, and the contact sheet that it shows.

Run by any Python, with nothing installed. Where the token may not write, as in a pull request from a fork,
the comment goes into the job's summary, and no sheet is kept: neither is a failure.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

BOT: Final = "Bot"
"""The kind of user that writes with a job's token: nobody else's comment is written over."""
_PAGE: Final = 100
_SECONDS: Final = 60
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
"""What GitHub answers where a token may not: it hides even that a thing is there."""


class Refused(Exception):  # noqa: N818 - the token's limits, no error
    """The token may not do this."""


def ask(method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - whatever JSON can carry
    """GitHub's answer. Raises `Refused`, `OSError`."""
    request = urllib.request.Request(  # noqa: S310 - the address is the runner's own
        f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}{path}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ['TOKEN']}",
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code in _REFUSED:
            raise Refused(str(error)) from error
        raise


def comments(number: str) -> Iterator[Any]:
    """All comments of a pull request."""
    page = 1
    while True:
        found = ask("GET", f"/issues/{number}/comments?per_page={_PAGE}&page={page}")
        yield from found
        if len(found) < _PAGE:
            return
        page += 1


def comment(text: str) -> None:
    """Write the comment, over the one of an earlier run; into the job's summary where that may not be.

    An earlier one has the same first line, which `artlock diff --markdown` writes: it names the project, so
    that two games in one repository have a comment each.
    """
    mark = _first_line(text)
    try:
        number = _own_request()
        for one in comments(number):
            kind = (one["user"] or {}).get("type")  # of an account that is gone, GitHub may tell none
            if kind == BOT and _first_line(one["body"] or "") == mark:
                ask("PATCH", f"/issues/comments/{one['id']}", {"body": text})
                return
        ask("POST", f"/issues/{number}/comments", {"body": text})
    except Refused:
        with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
            file.write(text)


def sheet(picture: Path) -> str:
    """Commit the contact sheet to its branch, and say where it is to be seen; empty where it is not.

    Each commit stands alone: the branch holds the last sheet of each project and pull request, and no
    history. The address ends in the commit, so that no cache shows an older one.
    """
    branch = os.environ["BRANCH"]
    if not branch or not picture.is_file():
        return ""
    try:
        number = _own_request()
        content = base64.b64encode(picture.read_bytes()).decode()
        blob = ask("POST", "/git/blobs", {"content": content, "encoding": "base64"})["sha"]
        # The project's folder, from the top of the repository: empty, or ending in `/`.
        name = f"{os.environ['PLACE']}{number}.png"
        entry = {"path": name, "mode": "100644", "type": "blob", "sha": blob}
        tree = ask("POST", "/git/trees", {"tree": [entry], **_before(branch)})["sha"]
        said = {"message": f"Contact sheet of pull request {number}", "tree": tree, "parents": []}
        made = ask("POST", "/git/commits", said)["sha"]
        _point(branch, made)
    except Refused:
        return ""
    place = f"{os.environ['GITHUB_REPOSITORY']}/raw/{branch}/{urllib.parse.quote(name)}?{made}"
    return f"{os.environ['GITHUB_SERVER_URL']}/{place}"


def _first_line(text: str) -> str:
    """GitHub gives back what was written with other ends of lines."""
    return text.partition("\n")[0].rstrip()


def _before(branch: str) -> dict[str, str]:
    """The tree of the branch, so that the sheets of other pull requests stay; empty where there is none."""
    try:
        commit = ask("GET", f"/git/ref/heads/{branch}")["object"]["sha"]
        return {"base_tree": ask("GET", f"/git/commits/{commit}")["tree"]["sha"]}
    except Refused:
        return {}


def _point(branch: str, commit: str) -> None:
    try:
        ask("PATCH", f"/git/refs/heads/{branch}", {"sha": commit, "force": True})
    except (Refused, urllib.error.HTTPError):  # 422 where there is no such branch yet
        ask("POST", "/git/refs", {"ref": f"refs/heads/{branch}", "sha": commit})


def _own_request() -> str:
    """The number of the pull request, where it is from this repository. Raises `Refused`."""
    number = os.environ["NUMBER"]
    if not number or os.environ["HEAD_REPOSITORY"] != os.environ["GITHUB_REPOSITORY"]:
        raise Refused("the pull request is from a fork, or there is none")
    return number


def main() -> None:
    """`post.py comment FILE` or `post.py sheet FILE`."""
    what, path = sys.argv[1], Path(sys.argv[2])
    if what == "sheet":
        print(sheet(path))
    else:
        comment(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
