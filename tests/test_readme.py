"""The README's first command, run as it stands there, in a clean clone with an empty cache."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from game import ROOT


def command_of(marker: str) -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {marker} -->\n```sh\n(.*?)\n```\n<!-- end -->", text, re.DOTALL)
    assert found, f"the README has no command between <!-- {marker} --> and <!-- end -->"
    return found[1]


@pytest.mark.slow
def test_the_first_command_gives_back_every_committed_byte(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "ARTLOCK_"))},
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip")),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    environ.pop("VIRTUAL_ENV", None)
    environ.pop("PYTHONPATH", None)
    # What git tracks, as it lies there now: a test must see the change that it is run for.
    subprocess.run(["git", "init", "--quiet", str(clone)], env=environ, check=True)
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, env=environ, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, tracked):
        target = clone / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    subprocess.run(["git", "add", "--all"], cwd=clone, env=environ, check=True)

    done = subprocess.run(
        ["bash", "-c", command_of("build")],
        cwd=clone,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    changed = subprocess.run(
        ["git", "diff", "--exit-code", "--stat"],
        cwd=clone,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert changed.returncode == 0, changed.stdout
    assert " built" in done.stderr


def test_ci_runs_the_second_command_as_it_stands() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "<!-- test -->" in script
    assert "pytest" in command_of("test")


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    base, extras = page.split("## Extras")
    for wanted, told in [
        (project["dependencies"], base),
        *((listed, extras) for listed in project["optional-dependencies"].values()),
    ]:
        names = [re.split(r"[^\w-]", item)[0] for item in wanted]
        assert [name for name in names if name != "artlock" and f"`{name}`" not in told] == []


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name} links to {target}"
