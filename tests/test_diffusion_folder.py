"""Which models the diffusion adapter takes, and what it says of the others. Needs no torch."""

from __future__ import annotations

import json
import shlex
import shutil
from fnmatch import fnmatch
from pathlib import Path

import pytest

from engines.diffusion import folder, missing
from engines.protocol import EngineError, ErrorKind

COMMIT = "b940f670f0eda2d07fbb75229e779da1ad11eb80"
MEDIUM = "stabilityai/stable-diffusion-3.5-medium"
INDEX = {
    "_class_name": "StableDiffusion3Pipeline",
    "_diffusers_version": "0.42.1",
    "image_encoder": [None, None],
    "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    "text_encoder_3": ["transformers", "T5EncoderModel"],
    "tokenizer_3": ["transformers", "T5TokenizerFast"],
    "transformer": ["diffusers", "SD3Transformer2DModel"],
}
EMPTY = b"\x02\0\0\0\0\0\0\0{}"
"""The shortest safetensors file."""

CODE = "which artlock never does"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder in the layout of diffusers; its weights hold no tensor, as nothing here loads them."""
    place = tmp_path / "model"
    for name in ("scheduler", "transformer", "text_encoder_3", "tokenizer_3"):
        (place / name).mkdir(parents=True)
    (place / "model_index.json").write_text(json.dumps(INDEX))
    (place / "transformer" / "config.json").write_text("{}")
    (place / "transformer" / "diffusion_pytorch_model.safetensors").write_bytes(EMPTY)
    (place / "text_encoder_3" / "config.json").write_text("{}")
    return place


def take(model: Path) -> folder.Source:
    source = folder.find(str(model), "", "")
    folder.check(source)
    return source


def refusal(model: Path) -> EngineError:
    with pytest.raises(EngineError) as caught:
        take(model)
    assert caught.value.hint
    return caught.value


def test_a_folder_is_read(model: Path) -> None:
    source = take(model)
    assert source.pipeline == "StableDiffusion3Pipeline"
    assert source.absent == ("image_encoder",)
    assert sorted(source.components) == ["scheduler", "text_encoder_3", "tokenizer_3", "transformer"]


def test_options_and_the_classes_of_a_pipeline_are_no_code(model: Path) -> None:
    pytest.importorskip("diffusers")
    more = {
        "_ignore_files": ["a.bin", "b.bin"],
        "sizes": [512, 512],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    }
    (model / "model_index.json").write_text(json.dumps(INDEX | more))
    source = folder.find(str(model), "", "")
    assert sorted(set(source.components) - set(INDEX)) == ["safety_checker"]


def test_the_t5_may_be_absent_until_it_is_wanted(model: Path) -> None:
    source = take(model)
    with pytest.raises(EngineError) as caught:
        folder.check_component(source, "text_encoder_3")
    assert caught.value.kind is ErrorKind.MISSING
    assert caught.value.message == f"`{model}` has no complete safetensors in `text_encoder_3`"


def test_a_missing_component_and_a_missing_shard_are_found(model: Path) -> None:
    weights = model / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    index = {"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}}
    weights.with_name("diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    weights.with_name("part-1.safetensors").write_bytes(EMPTY)
    error = refusal(model)
    assert (error.kind, error.message) == (
        ErrorKind.MISSING,
        f"`{model}` has no complete safetensors in `transformer`",
    )
    weights.with_name("part-2.safetensors").write_bytes(EMPTY)
    take(model)
    shutil.rmtree(model / "scheduler")
    assert refusal(model).message == f"`{model}` has no complete safetensors in `scheduler`"


@pytest.mark.parametrize("name", ["diffusion_pytorch_model.bin", "model.ckpt", "weights.pt", "model.msgpack"])
def test_pickled_weights_are_refused(model: Path, name: str) -> None:
    weights = model / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_name(name))
    error = refusal(model)
    assert (error.kind, error.message) == (
        ErrorKind.BAD_REQUEST,
        f"`transformer/{name}` of `{model}` is a pickle: loading it can run any code",
    )
    assert error.hint == "use a version of the model that is saved as safetensors"


def test_a_file_cut_at_any_length_is_found(model: Path) -> None:
    weights = model / "transformer" / "diffusion_pytorch_model.safetensors"
    header = b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
    whole = len(header).to_bytes(8, "little") + header + b"abcd"
    weights.write_bytes(whole)
    take(model)
    for length in range(len(whole)):
        weights.write_bytes(whole[:length])
        error = refusal(model)
        what = f"it has {length} bytes, its header says 65" if length >= 61 else "its header is cut off"
        assert (error.kind, error.message) == (
            ErrorKind.MISSING,
            f"`transformer/diffusion_pytorch_model.safetensors` of `{model}` is damaged: {what}",
        )
        assert error.hint == "delete it and fetch the model again"


@pytest.mark.parametrize("header", [b"[]", b"no", b'{"a":1}', b'{"a":{"data_offsets":[]}}'])
def test_a_header_that_is_none_is_found(model: Path, header: bytes) -> None:
    weights = model / "transformer" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(len(header).to_bytes(8, "little") + header)
    assert refusal(model).message.endswith("is damaged: its header is not one of safetensors")


def test_a_pickle_beside_safetensors_is_left_alone(model: Path) -> None:
    (model / "transformer" / "diffusion_pytorch_model.bin").touch()
    take(model)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"_class_name": ["pipeline", "MyPipeline"]},
            "its `model_index.json` names a pipeline class of its own: `['pipeline', 'MyPipeline']`",
        ),
        ({"transformer": ["my_module", "MyTransformer"]}, "`transformer` is a class of `my_module`"),
        ({"transformer": ["os", "system"]}, "`transformer` is a class of `os`"),
        ({"transformer": ["../flux", "X"]}, "`transformer` is a class of `../flux`"),
    ],
)
def test_an_index_that_names_code_is_refused(model: Path, change: dict[str, object], why: str) -> None:
    (model / "model_index.json").write_text(json.dumps(INDEX | change))
    error = refusal(model)
    assert (error.kind, error.message) == (
        ErrorKind.BAD_REQUEST,
        f"`{model}` wants to run code of its own, {CODE}: {why}",
    )


@pytest.mark.parametrize("name", ["pipeline.py", "transformer/modeling.py"])
def test_python_files_are_refused(model: Path, name: str) -> None:
    (model / name).write_text("raise SystemExit('ran')")
    assert refusal(model).message.endswith(f"{CODE}: it holds `{name}`")


def test_a_config_that_names_code_is_refused(model: Path) -> None:
    (model / "transformer" / "config.json").write_text('{"auto_map": {"AutoModel": "x--y.Z"}}')
    assert refusal(model).message.endswith(f"{CODE}: `transformer/config.json` asks for it with `auto_map`")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (None, "`{model}` is not a diffusers pipeline: it has no `model_index.json`"),
        ("{", "`model_index.json` of `{model}` is not JSON: "),
        ("[]", "`model_index.json` of `{model}` names no pipeline"),
        ("{}", "`model_index.json` of `{model}` names no pipeline"),
    ],
)
def test_a_folder_that_is_no_pipeline_is_refused(model: Path, text: str | None, what: str) -> None:
    index = model / "model_index.json"
    index.write_text(text) if text else index.unlink()
    assert refusal(model).message.startswith(what.format(model=model))


@pytest.mark.parametrize(
    ("name", "revision", "kind", "message"),
    [
        ("/nowhere/model", "", ErrorKind.MISSING, "the model folder `/nowhere/model` is not there"),
        (
            "sd35",
            COMMIT,
            ErrorKind.BAD_REQUEST,
            "`sd35` is neither a folder nor a model of the Hugging Face Hub",
        ),
        (
            "../secret/model",
            COMMIT,
            ErrorKind.BAD_REQUEST,
            "`../secret/model` is neither a folder nor a model of the Hugging Face Hub",
        ),
        (MEDIUM, "", ErrorKind.BAD_REQUEST, f"`{MEDIUM}` is not pinned: it names no revision"),
        (MEDIUM, "main", ErrorKind.BAD_REQUEST, f"`{MEDIUM}` is not pinned: `main` can move"),
        (MEDIUM, COMMIT[:7], ErrorKind.BAD_REQUEST, f"`{MEDIUM}` is not pinned: `b940f67` can move"),
    ],
)
def test_a_model_that_is_not_named_well(name: str, revision: str, kind: ErrorKind, message: str) -> None:
    with pytest.raises(EngineError) as caught:
        folder.find(name, revision, "")
    assert (caught.value.kind, caught.value.message) == (kind, message)
    assert caught.value.hint


def test_missing_weights_explain_licence_gate_and_login(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    with pytest.raises(EngineError) as caught:
        folder.find(MEDIUM, COMMIT, str(tmp_path))
    assert caught.value.kind is ErrorKind.MISSING
    assert caught.value.message == (
        f"`{MEDIUM}` at `{COMMIT}` is not on this machine. "
        "Licence: Stability AI Community License, free of charge up to US$1M of yearly revenue; "
        "commercial use has to be registered at stability.ai/community-license; who passes on the model or "
        "something built on it shows `Powered by Stability AI`. "
        f"Gate: log in at https://huggingface.co/{MEDIUM} and accept the conditions, once for each model. "
        "Login on this machine: `hf auth login`, or a read token in `HF_TOKEN`."
    )
    assert caught.value.hint == (
        f"then run `HF_HOME={tmp_path} hf download {MEDIUM} --revision {COMMIT} "
        "--include model_index.json --include '*/*.json' --include '*/*.txt' --include '*/*.model' "
        "--include '*/*.safetensors' --include 'LICENSE*' --exclude '*.fp16*' --exclude '* copy/*'`"
    )


def test_another_models_terms_are_its_own(tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    with pytest.raises(EngineError) as caught:
        folder.find("acme/painter", COMMIT, str(tmp_path))
    assert caught.value.message == (
        f"`acme/painter` at `{COMMIT}` is not on this machine. "
        "Licence, and conditions to accept where it has any: https://huggingface.co/acme/painter. "
        "Login on this machine, if it is gated: `hf auth login`, or a read token in `HF_TOKEN`."
    )


def test_the_command_fetches_what_is_needed_and_nothing_twice() -> None:
    words = shlex.split(missing.command(MEDIUM, COMMIT, ""))
    assert words[:5] == ["hf", "download", MEDIUM, "--revision", COMMIT]
    pairs = list(zip(words[5::2], words[6::2], strict=True))
    include = [pattern for option, pattern in pairs if option == "--include"]
    exclude = [pattern for option, pattern in pairs if option == "--exclude"]
    repository = {
        "model_index.json": True,
        "LICENSE.md": True,
        "scheduler/scheduler_config.json": True,
        "tokenizer/merges.txt": True,
        "tokenizer_3/spiece.model": True,
        "text_encoder_3/model-00001-of-00002.safetensors": True,
        "text_encoder_3/model.safetensors.index.json": True,
        "text_encoder_3/model.fp16-00001-of-00002.safetensors": False,
        "text_encoder_3/model.safetensors.index.fp16.json": False,
        "transformer/diffusion_pytorch_model.safetensors": True,
        "vae copy/diffusion_pytorch_model.safetensors": False,
        "sd3.5_medium.safetensors": False,
        "mmdit-x-diagram.png": False,
    }
    for file, wanted in repository.items():
        fetched = any(fnmatch(file, one) for one in include) and not any(
            fnmatch(file, one) for one in exclude
        )
        assert fetched is wanted, file


def test_a_model_is_found_in_the_cache_of_the_hub(model: Path, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub")
    place = (
        tmp_path / "hf" / "hub" / "models--stabilityai--stable-diffusion-3.5-medium" / "snapshots" / COMMIT
    )
    place.parent.mkdir(parents=True)
    model.rename(place)
    source = folder.find(MEDIUM, COMMIT, str(tmp_path / "hf"))
    folder.check(source)
    assert (source.path, source.revision) == (place, COMMIT)
    (place / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(EngineError) as caught:
        folder.check(source)
    assert caught.value.message.startswith(
        f"`transformer` of `{MEDIUM}` at `{COMMIT}` is not whole on this machine."
    )
    assert caught.value.hint.startswith(f"then run `HF_HOME={tmp_path / 'hf'} hf download ")
