"""The command line: finds the command, runs it, and turns every error into a message and an exit code.

A file per command, loaded only when it is called: `artlock --version` and `check` must feel instant.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NoReturn

from buildsys import __version__
from buildsys.cli import streams
from buildsys.errors import ArtlockError, DiskError, Exit

COMMANDS: Final = {
    "init": "Start a project here: manifest, dodo.py, git settings",
    "build": "Make what is stale",
    "plan": "Show what a build would do",
    "explain": "Say why one asset is stale, part by part",
    "check": "Do manifest, lock and files agree? For hooks and CI",
    "status": "Every asset's verdict, and what drifted",
    "diff": "What changed between two revisions: pictures, prompts, and why",
    "watch": "Build again whenever something changes",
    "hooks": "Have git check what is staged, merge the lock by asset and show pictures",
    "git": "What git runs by itself, once hooks are installed",
    "import": "Make assets of pictures that something else made",
    "adopt": "Make sources of outputs that were changed by hand",
    "approve": "Note in the lock that pictures were accepted, and by whom",
    "freeze": "Let pictures stay as they are, whatever becomes of their recipes",
    "thaw": "Let frozen pictures change again",
    "resolve": "Say which side of a merge holds, asset by asset",
    "clean": "Remove outputs that no asset owns any more",
    "prompts": "Every prompt as it would be sent, and what an encoder would cut",
    "engines": "Every engine: ready, or what is missing",
    "generate": "Make one picture with any engine, outside the manifest",
    "compare": "The same prompt and seed on several engines, side by side",
    "sweep": "A grid of pictures over seeds, parameters or engines",
    "candidates": "What was made of an asset to choose from, and how it was measured",
    "pick": "Choose one candidate of an asset by hand",
    "push": "Send to the remote what it lacks of the lock's pictures",
    "pull": "Bring from the remote what this machine lacks of them",
    "reproduce": "Make assets again from their lock entries, and compare",
    "log": "Every version of an asset through git's history, renames followed",
    "report": "Time, failures, cost and cache hits of past runs",
    "gc": "Remove from the store what no lock needs any more",
    "verify": "Hash everything in the store, and drop what is damaged",
    "audit": "Who made what ships, when, with what, from what, and under which licence",
    "credits": "What the game must credit",
    "stock": "Search the bundled icons",
    "schema": "Print the JSON Schema of assets.toml",
}

_INTERRUPTED: Final = "interrupted: what was finished is kept; `artlock {}` goes on from there"
_GOES_ON: Final = ("push", "pull")
"""Commands that go on by themselves; what any other left, a build takes up."""


def console() -> NoReturn:
    """Run one command and leave: what `artlock` starts."""
    code = main()
    if "obstore" in sys.modules:
        # Its threads may still ask for Python while that goes away, which ends the process with SIGABRT: one
        # push in sixty. Nothing of artlock waits for Python's own end.
        with suppress(OSError):
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code; see `buildsys.errors.Exit`."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    streams.prepare()
    try:
        return _ended(arguments)
    except BrokenPipeError:
        # `artlock plan | head`: not an error, and no success either, for what a `check` found is not known.
        # Python would complain once more when it flushes at exit.
        streams.silence(sys.stdout)
        streams.silence(sys.stderr)
        return Exit.UNHEARD


def _ended(arguments: list[str]) -> int:
    """The exit code of one command, all told. Raises `BrokenPipeError` where nobody hears it any more."""
    try:
        code = _run(arguments)
        _flush()
    except ArtlockError as error:
        return _tell(error, arguments)
    except KeyboardInterrupt:
        with streams.outliving(sys.stderr), streams.deserted(sys.stderr):
            name = _command(arguments)
            print(f"\n{_INTERRUPTED.format(name if name in _GOES_ON else 'build')}", file=sys.stderr)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as error:
        refusal = _refusal(error)
        return _tell(refusal, []) if refusal else _bug()
    except SystemExit:  # argparse, of `--help`
        _flush()
        raise
    except Exception:  # noqa: BLE001 - the one catch site; a bug still deserves a message
        return _bug()
    return code


def _flush() -> None:
    """Write what is left now, not when Python leaves: a full disk would be its complaint, and exit 120."""
    with streams.deserted(sys.stdout):
        sys.stdout.flush()


def _run(arguments: list[str]) -> int:
    if arguments[:1] in (["--version"], ["-V"]):
        print(f"artlock {__version__}")
        return Exit.FINE
    name = _command(arguments)
    parser = _parser(name)
    if name in COMMANDS:
        command = importlib.import_module(f"buildsys.cli.{name}")
        command.configure(parser)
        at = arguments.index(name)
        # What stands before the command counts too: `artlock --dry-run build` must not build.
        parsed = parser.parse_args(arguments[:at] + arguments[at + 1 :])
        _check_surroundings()
        return int(command.run(parsed))
    if name:
        from buildsys.errors import did_you_mean  # noqa: PLC0415 - only an error needs it

        hint = did_you_mean(name, COMMANDS) or "run `artlock --help` for the list"
        raise ArtlockError(f"there is no command `{name}`", hint)
    parser.parse_args(arguments)  # leaves for `--help`, and for an option that there is not
    parser.print_help()
    return Exit.USAGE


def _command(arguments: Sequence[str]) -> str:
    """The command's name among them; empty where there is none."""
    return next((word for word in arguments if not word.startswith("-")), "")


class _Parser(argparse.ArgumentParser):
    """Tells wrong usage as every other mistake is told, and takes words on either side of an option."""

    _again = False
    """Whether this is argparse itself, on its second way through."""

    # The words of typeshed's overloads: only argparse calls it, and only so.
    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse as argparse does; where words are left over, such as `HEAD` of `hero --json HEAD`, with them.

        Only then: the way that has words anywhere names fewer mistakes, and knows no commands of commands.
        """
        found, rest = super().parse_known_args(args, namespace)
        if self._again or self._subparsers is not None or all(word.startswith("-") for word in rest):
            return found, rest
        self._again = True
        try:
            return self.parse_known_intermixed_args(args)
        finally:
            self._again = False

    def error(self, message: str) -> NoReturn:
        """Raise `ArtlockError` where argparse would print and exit."""
        from buildsys.errors import did_you_mean  # noqa: PLC0415 - only an error needs it

        known = [option for action in self._actions for option in action.option_strings]
        hint = did_you_mean(message.rpartition(" ")[2], known) if message.startswith("unrecognized") else ""
        raise ArtlockError(message, hint or f"run `{self.prog} --help`")


def _parser(name: str) -> argparse.ArgumentParser:
    if name in COMMANDS:
        return _Parser(prog=f"artlock {name}", description=f"{COMMANDS[name]}.")
    width = max(map(len, COMMANDS))
    listed = "\n".join(f"  {command:<{width}}  {summary}" for command, summary in COMMANDS.items())
    parser = _Parser(
        prog="artlock",
        usage="artlock COMMAND [OPTIONS]",
        description="A make-like build system for game art, native to git.",
        epilog=f"commands:\n{listed}\n\n`artlock COMMAND --help` tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version and leave")
    return parser


def _check_surroundings() -> None:
    """Refuse what no command could work in."""
    try:
        os.getcwd()  # noqa: PTH109 - only whether it is there
    except OSError as error:
        raise ArtlockError("the folder that you are in is gone", "change to another one") from error
    if (encoding := sys.getfilesystemencoding()) != "utf-8":
        # Under another encoding, the same name would be another file.
        raise ArtlockError(
            f"Python writes file names as `{encoding}`; artlock's are UTF-8", "set `PYTHONUTF8=1`"
        )


def _tell(error: ArtlockError, arguments: list[str]) -> int:
    """Say what is wrong: to a person, and to a program that asked for JSON."""
    from buildsys.cli.console import print_json, tame  # noqa: PLC0415 - only an error needs it

    with streams.outliving(sys.stderr), streams.deserted(sys.stderr):
        print(f"error: {tame(str(error))}", file=sys.stderr)
    if "--json" in arguments:
        try:
            print_json({"error": error.message, "hint": error.hint})
            sys.stdout.flush()
        except (
            OSError
        ):  # its reader left, the disk is full: a person was told, and the exit code tells the rest
            streams.silence(sys.stdout)
    return error.exit_code


def _refusal(error: OSError) -> ArtlockError | None:
    """What the disk said, wherever it said it: a full one can strike anywhere, our own output included."""
    from pathlib import Path  # noqa: PLC0415 - only an error needs them

    from buildsys.files.durable import DISK_SAYS_NO, disk_error  # noqa: PLC0415

    if error.errno not in DISK_SAYS_NO:
        return None
    if error.filename is None:
        streams.silence(sys.stdout)
        return DiskError(f"can't write the output: {error.strerror}", "send it to another place")
    return disk_error("use", Path(os.fsdecode(error.filename)), error)


def _bug() -> int:
    import traceback  # noqa: PLC0415 - only a bug needs it

    traceback.print_exc()
    print(
        "error: this is a bug in artlock; nothing that was finished is lost\n\n"
        "hint: report it with the lines above",
        file=sys.stderr,
    )
    return Exit.BUG
