"""Trains the model: `python -m training.sprite.train DATA RUN [--minutes N] [--decay STEPS]`.

DATA is the folder that `training.sprite.dataset` fills, RUN holds the run and is created with the first
call. A later call goes on where the last one was stopped, whatever stopped it: weights, their running
mean, the optimiser, and both random generators are in `RUN/checkpoint.pt`, replaced every five minutes
and when the program is asked to end (SIGTERM).

The learning rate rises, then stays. `--decay STEPS` lets it fall to nothing over so many steps, into
`RUN/decayed.pt`, and leaves the checkpoint as it is: the run can go on later.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path
from threading import Event, Lock
from typing import Any, Final

import torch
from torch import Tensor

from training.sprite import captions, latents
from training.sprite.material import Material, Plan
from training.sprite.model import Flow, Sizes

_SAVE_SECONDS: Final = 300
_LOG_STEPS: Final = 100
_LATEST: Final = 0.98
"""Later times are not trained: what is left to mend there is noise."""


class Run:
    """A model in training."""

    def __init__(self, material: Material, sizes: Sizes, plan: Plan, workers: int = 1) -> None:
        torch.manual_seed(plan.seed)
        self.material, self.sizes, self.plan = material, sizes, plan
        deviation = torch.from_numpy(material.components.deviation)
        self.flow = Flow(sizes, deviation)
        # One worker learns in place; of several each has a copy, for another's step would pull its own
        # weights from under it.
        self.replicas = [self.flow] if workers == 1 else [Flow(sizes, deviation) for _ in range(workers)]
        self.lock = Lock()
        self.stop = Event()
        self.mean = Flow(sizes, deviation).eval().requires_grad_(requires_grad=False)
        for copy in (*self.replicas, self.mean):
            copy.load_state_dict(self.flow.state_dict())
        self.weights: list[Tensor] = list(self.flow.parameters())
        self.means: list[Tensor] = list(self.mean.parameters())
        self.optimizer = torch.optim.AdamW(self._groups(), lr=plan.rate, betas=(0.9, 0.97), fused=True)
        self.emphasis = deviation**plan.emphasis
        self.emphasis /= self.emphasis.mean()
        self.step = 0
        self.loss = 1.0

    def _groups(self) -> list[dict[str, Any]]:
        """Only matrices that multiply are made smaller."""
        tables = {"text.own.weight", "text.place.weight", "style.weight"}
        named = list(self.flow.named_parameters())
        shrunk = [weight for name, weight in named if weight.ndim > 1 and name not in tables]
        others = [weight for name, weight in named if weight.ndim == 1 or name in tables]
        return [{"params": shrunk, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]

    def advance(self, rate: float, worker: int = 0) -> None:
        """One step by one worker; others may be at theirs, on the weights as they were a moment ago."""
        flow = self.replicas[worker]
        with self.lock:
            lesson = self._lesson()
        loss = self._loss(flow, *lesson)
        gradients = torch.autograd.grad(loss, list(flow.parameters()))
        with self.lock, torch.no_grad():
            self._learn(gradients, rate)
            self.loss += 0.01 * (loss.item() - self.loss)
            if flow is not self.flow:
                torch._foreach_copy_(list(flow.parameters()), self.weights)

    def _lesson(self) -> tuple[Tensor, ...]:
        """Clean latents and noisy ones, their times, and what is said of them. All of the chance is here."""
        clean, words, styles = self.material.batch(self.plan.batch)
        vectors, own, mask = self.material.reader(words)
        own = own * (torch.rand(own.shape) >= self.plan.forget)
        moment = torch.sigmoid(torch.randn(len(clean)) * 1.2 + self.plan.middle).clamp(max=_LATEST)
        noisy = moment[:, None] * clean + (1 - moment[:, None]) * torch.randn_like(clean)
        return clean, noisy, moment, vectors, own, mask, torch.from_numpy(styles)

    def _loss(self, flow: Flow, clean: Tensor, noisy: Tensor, moment: Tensor, *said: Tensor) -> Tensor:
        residual = flow.residual(noisy, moment, flow.condition(*said))
        errors = (residual - flow.target(clean, noisy, moment)).square()
        return (errors * self.emphasis).mean()

    def _learn(self, gradients: Sequence[Tensor], rate: float) -> None:
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.grad = gradient
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.step += 1
        # A mean over the last steps, over few at first.
        share = max(1 - self.plan.memory, 8 / (self.step + 8))
        torch._foreach_lerp_(self.means, self.weights, share)

    def rate(self) -> float:
        """Rises, then stays."""
        return self.plan.rate * min(1.0, (self.step + 1) / self.plan.warm)

    def state(self) -> dict[str, Any]:
        """All that going on needs."""
        return {
            "flow": self.flow.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": self.material.random.bit_generator.state,
            "torch": torch.get_rng_state(),
            "step": self.step,
            "loss": self.loss,
            "sizes": asdict(self.sizes),
            "plan": asdict(self.plan),
            "vocabulary": torch.from_numpy(self.material.vocabulary),
            "habits": torch.from_numpy(captions.habits(self.material.sayings, self.material.vocabulary)),
            "components": {
                name: getattr(self.material.components, name)
                for name in ("mean", "basis", "deviation", "scale")
            },
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`; a model that was shallower gets layers that leave everything as it is."""
        deeper = self.sizes.depth > state["sizes"]["depth"]
        for flow in (self.flow, *self.replicas):
            flow.load_state_dict(state["flow"], strict=not deeper)
        self.mean.load_state_dict(state["mean"], strict=not deeper)
        if not deeper:
            self.optimizer.load_state_dict(state["optimizer"])
        self.material.random.bit_generator.state = state["random"]
        torch.set_rng_state(state["torch"])
        self.step, self.loss = state["step"], state["loss"]


def save(state: dict[str, Any], path: Path) -> None:
    """Write `path` whole or not at all."""
    fresh = path.with_suffix(".new")
    torch.save(state, fresh)
    os.replace(fresh, path)  # noqa: PTH105 - the one that replaces everywhere


def load(path: Path) -> dict[str, Any]:
    """Read what `save` wrote."""
    state: dict[str, Any] = torch.load(path, weights_only=False)
    return state


def train(run: Run, folder: Path, minutes: float, decay: int) -> None:
    """Train for `minutes`, or `decay` steps down to a rate of nothing."""
    begun = time.monotonic()
    first = run.step

    def more() -> bool:
        if run.stop.is_set():
            return False
        return run.step - first < decay if decay else time.monotonic() - begun < minutes * 60

    def work(worker: int) -> None:
        while more():
            fall = 1 - (run.step - first) / decay if decay else 1.0
            run.advance(run.rate() * max(0.0, fall), worker)

    saved = begun
    with ThreadPoolExecutor(len(run.replicas)) as pool:
        working = [pool.submit(work, worker) for worker in range(len(run.replicas))]
        logged = first
        while wait(working, timeout=2).not_done:
            now = time.monotonic()
            if run.step - logged >= _LOG_STEPS:
                logged = run.step
                _log(run, folder, (run.step - first) * run.plan.batch / (now - begun))
            if now - saved > _SAVE_SECONDS and not decay:
                with run.lock:
                    save(run.state(), folder / "checkpoint.pt")
                saved = now
        for one in working:
            one.result()
    save(run.state(), folder / ("decayed.pt" if decay else "checkpoint.pt"))


def _log(run: Run, folder: Path, speed: float) -> None:
    line = {"step": run.step, "loss": round(run.loss, 4), "a second": round(speed), "time": int(time.time())}
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the sprite model, or go on training it.")
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--decay", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--sizes", type=json.loads, default={}, help="of a new run; `depth` may be raised later"
    )
    parser.add_argument("--plan", type=json.loads, default={}, help="what differs from the usual")
    given = parser.parse_args()
    # Threads of torch's own wait for each other at every layer; workers hardly ever do. On two busy cores
    # one worker made five times as many pictures a second of processor time as two of torch's threads.
    torch.set_num_threads(1)
    given.run.mkdir(parents=True, exist_ok=True)
    last = given.run / "checkpoint.pt"
    state = load(last) if last.exists() else None
    sizes = Sizes(**((state["sizes"] if state else {}) | given.sizes))
    plan = Plan(**((state["plan"] if state else {}) | given.plan))
    components = latents.Components(**state["components"]) if state else None
    run = Run(Material(given.data, sizes, plan, components), sizes, plan, given.workers)
    if state:
        run.restore(state)
    signal.signal(signal.SIGTERM, lambda *_: run.stop.set())
    train(run, given.run, given.minutes, given.decay)


if __name__ == "__main__":
    main()
