"""What a person writes without artlock: a loop over diffusers calls in one process.

`python diffusers_loop.py JOBS LOG`: JOBS is a JSON file, `{"keep": "all" or "one", "threads": 1, "jobs":
[…]}`; to LOG goes a JSON line when a model has loaded and one for each job. It knows nothing of artlock:
that is what artlock is compared with.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

BEGAN = time.monotonic()


def main(jobs_file: Path, log: Path) -> None:
    """Do the jobs in order. One that fails is lost, and the loop goes on."""
    order = json.loads(jobs_file.read_text(encoding="utf-8"))
    # What a sensible author sets: threads that spin beside another busy process cost more than they give.
    os.environ.update(
        OMP_NUM_THREADS=str(order["threads"]), OMP_WAIT_POLICY="PASSIVE", TRANSFORMERS_VERBOSITY="error"
    )
    import diffusers  # noqa: PLC0415 - after the environment is set
    import torch  # noqa: PLC0415

    library: Any = diffusers
    torch.set_num_threads(order["threads"])
    library.utils.logging.disable_progress_bar()
    pipelines: dict[str, Any] = {}
    with log.open("a", encoding="utf-8") as lines:
        _note(lines, imported=time.monotonic() - BEGAN)
        for job in order["jobs"]:
            began = time.monotonic()
            error = ""
            try:
                if job["model"] not in pipelines:
                    if order["keep"] == "one":
                        pipelines.clear()
                        gc.collect()
                    pipelines[job["model"]] = _load(library, torch, job["model"])
                    _note(lines, model=job["model"], loaded=time.monotonic() - began)
                    began = time.monotonic()
                _draw(torch, pipelines[job["model"]], job)
            except Exception as caught:  # noqa: BLE001 - the batch is lost, the night's run goes on
                error = f"{type(caught).__name__}: {caught}".partition("\n")[0][:200]
            _note(lines, job=job["number"], seconds=time.monotonic() - began, error=error)


def _load(library: Any, torch: Any, folder: str) -> Any:  # noqa: ANN401 - libraries without types
    pipeline = library.StableDiffusion3Pipeline.from_pretrained(
        folder,
        text_encoder_3=None,
        tokenizer_3=None,
        use_safetensors=True,
        local_files_only=True,
        dtype=torch.float32,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _draw(torch: Any, pipeline: Any, job: dict[str, Any]) -> None:  # noqa: ANN401 - the same
    (image,) = pipeline(
        prompt=job["prompt"],
        generator=torch.Generator("cpu").manual_seed(job["seed"]),
        width=job["size"],
        height=job["size"],
        num_inference_steps=job["steps"],
        guidance_scale=job["guidance"],
        max_sequence_length=77,
    ).images
    image.save(job["output"])


def _note(lines: Any, **values: Any) -> None:  # noqa: ANN401 - whatever JSON takes
    print(json.dumps(values), file=lines, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
