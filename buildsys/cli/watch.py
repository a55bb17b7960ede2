"""`artlock watch`: builds, and builds again whenever something changes that made an asset stale."""

from __future__ import annotations

import argparse
from pathlib import Path

from buildsys import watching
from buildsys.cli import options as shared
from buildsys.cli.build import summary
from buildsys.cli.console import count, say, tame
from buildsys.cli.live import display
from buildsys.errors import ArtlockError, Exit
from buildsys.manifest.model import AssetName
from buildsys.plan.step import Reason, Verdict
from buildsys.session import Session, find_root
from buildsys.workbench import build, interruptible


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    shared.add_project(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="assets; everything if none is named")
    parser.add_argument("-j", "--jobs", type=int, metavar="N", help="processes of one engine side by side")
    shared.add_no_remote(parser)


def run(options: argparse.Namespace) -> int:
    """Build and watch until a person has enough."""
    if options.jobs is not None and options.jobs < 1:
        raise ArtlockError(f"`-j {options.jobs}` is not a number of jobs", "give 1 or more")
    rounds = _Rounds(
        find_root(options.start),
        options.profile,
        tuple(options.names),
        options.jobs or 0,
        remote=options.remote,
    )
    with interruptible():
        try:
            watching.watch(rounds.root, options.profile, rounds.work, rounds.trouble, rounds.idle)
        except KeyboardInterrupt:
            if rounds.at_work:
                raise
    say("\nno longer watching")
    return Exit.FINE


class _Rounds:
    """A build for each change, told on stderr."""

    def __init__(
        self, root: Path, profile: str | None, names: tuple[str, ...], jobs: int, *, remote: bool
    ) -> None:
        self.root = root
        self.at_work = False
        """Whether an interrupt would end a build."""
        self._profile = profile
        self._names = names
        self._jobs = jobs
        self._remote = remote
        self._told = False
        self._kept: list[tuple[AssetName, tuple[Reason, ...]]] | None = None
        """What the last round said that it left alone; None before the first one."""

    def work(self) -> None:
        """Build what is stale, if anything is."""
        session = Session.open(self.root, self._profile)
        names = session.names(self._names)
        plan = session.plan(names)
        # What is blocked or edited stays so for a while: said once, not at every save.
        kept = [(step.name, step.reasons) for step in plan.having(Verdict.BLOCKED, Verdict.EDITED)]
        if self._kept == kept and not plan.having(Verdict.BUILD, Verdict.RESTORE):
            return
        earlier = dict(self._kept or ())
        said = {name for name, reasons in kept if earlier.get(name) == reasons}
        self._kept = kept
        self.at_work = True
        with display() as shown:
            outcome, _ = build(
                session, names, jobs=self._jobs, remote=self._remote, tell=shown.tell, planned=shown.planned
            )
        self.at_work = False
        for line in summary(outcome, session, (), said):
            say(line)

    def trouble(self, error: ArtlockError) -> None:
        """Say what is wrong, and go on."""
        self.at_work = False
        say(f"error: {tame(str(error))}\n")

    def idle(self, files: int) -> None:
        """Say what is waited for, once."""
        if not self._told:
            say(f"watching {count(files, 'file')}; ctrl-C ends it")
        self._told = True
