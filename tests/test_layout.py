"""The shape of the code: who may import whom, sizes, names, docstrings."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = (
    (
        "buildsys",
        "buildsys.errors",
        "buildsys.digest",
        "buildsys.places",
        "buildsys.toml",
        "engines.protocol",
    ),
    ("buildsys.files", "buildsys.git", "buildsys.gitplace", "buildsys.lfs"),
    ("buildsys.manifest",),
    ("buildsys.plan",),
    ("buildsys.holdings",),
    ("buildsys.store",),
    ("buildsys.remote",),
    ("buildsys.make",),
    ("buildsys.lock",),
    (
        "buildsys.agreement",
        "buildsys.checkout",
        "buildsys.journal",
        "buildsys.ledger",
        "buildsys.locked",
        "buildsys.recollection",
        "buildsys.witness",
    ),
    ("buildsys.session",),
    ("buildsys.lockwords", "buildsys.renaming"),
    ("buildsys.lookup",),
    ("buildsys.art", "buildsys.handwork"),
    ("buildsys.workbench",),
    (
        "buildsys.adoption",
        "buildsys.approval",
        "buildsys.audit",
        "buildsys.comparison",
        "buildsys.confirming",
        "buildsys.drift",
        "buildsys.exchange",
        "buildsys.frozen",
        "buildsys.githooks",
        "buildsys.history",
        "buildsys.imports",
        "buildsys.keeping",
        "buildsys.leftovers",
        "buildsys.prompts",
        "buildsys.refresh",
        "buildsys.remaking",
        "buildsys.reproduce",
        "buildsys.resolution",
        "buildsys.review",
        "buildsys.spending",
        "buildsys.staged",
        "buildsys.tasks",
        "buildsys.trial",
        "buildsys.upkeep",
        "buildsys.watching",
    ),
    ("buildsys.cli", "buildsys.__main__"),
)
HEAVY = {"torch", "diffusers", "transformers", "numpy", "PIL", "oxipng", "resvg_py"}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
MODULES = sorted(
    path
    for folder in ("buildsys", "engines")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
LONG = {
    "engines/protocol.py": "one page of messages and their checks; split, neither half could be read alone",
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module: str) -> int | None:
    found = [
        (len(prefix), number)
        for number, layer in enumerate(LAYERS)
        for prefix in layer
        if module == prefix or (module.startswith(f"{prefix}.") and prefix != "buildsys")
    ]
    return max(found)[1] if found else None


def imports(path: Path) -> Iterator[str]:
    """Every module that `path` imports, late and type-checking imports included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = (ROOT / (inner.replace(".", "/") + ".py")).exists() or (
                    ROOT / inner.replace(".", "/") / "__init__.py"
                ).exists()
                yield inner if is_module else node.module


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_one_way(path: Path) -> None:
    module = module_name(path)
    own = layer_of(module)
    for name in imports(path):
        if module.startswith("engines"):
            assert not name.startswith("buildsys"), f"{module} imports {name}"
            continue
        assert name.partition(".")[0] not in HEAVY, f"{module} imports {name}"
        if name.startswith("engines"):
            assert name == "engines.protocol", f"{module} imports {name}"
        if name.startswith(("buildsys", "engines")):
            other = layer_of(name)
            assert own is not None, f"{module} is in no layer"
            assert other is not None, f"{name} is in no layer"
            assert other <= own, f"{module} imports {name}, which is to its right"


def test_imports_have_no_cycle() -> None:
    graph = {module_name(path): set(imports(path)) for path in MODULES}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " → ".join((*path, module))
        if module in graph and module not in done:
            for other in sorted(graph[module]):
                if other != module:
                    visit(other, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_says_what_it_holds(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{path} has no docstring"
    assert docstring.splitlines()[0].endswith((".", ":", "?")), f"{path}: line one is a sentence"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    assert not FORBIDDEN_NAMES & set(path.with_suffix("").parts[-2:])
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if name in LONG:
        assert lines > 300, f"{name} is no longer long: take it off the list"
    else:
        assert lines <= 300, f"{name} has {lines} lines: look for the noun hiding in it"


def test_only_the_command_line_prints_and_exits() -> None:
    for path in MODULES:
        if "cli" in path.relative_to(ROOT).parts or path.name == "__main__.py" or path.parts[-2] == "stock":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in {"print", "sys.exit", "exit"}, path


@pytest.mark.parametrize("command", [["--version"], ["check"], ["schema"]])
def test_a_quick_command_imports_nothing_heavy(command: list[str], tmp_path: Path) -> None:
    heavy = {"doit", "rich", "numpy", "PIL", "torch", "tree_sitter", "difflib", "sqlite3"}
    heavy |= {"obstore", "asyncio"}
    code = (
        "import sys\nfrom buildsys.cli import main\n"
        f"try:\n    main({command!r})\nexcept SystemExit:\n    pass\n"
        f"loaded = sorted({heavy!r} & set(sys.modules))\nassert not loaded, loaded"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "ARTLOCK_CACHE_DIR": str(tmp_path)},
        check=True,
        capture_output=True,
    )
