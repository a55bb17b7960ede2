"""Messages about an asset that a command's options make: no lines that nobody wrote, and options in hints."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildsys import trial
from buildsys.errors import ManifestError
from buildsys.manifest.read import parse
from buildsys.manifest.source import COMMAND_LINE

BUNDLE = Path(__file__).parent / "test_manifest_bundle"


def said(text: str) -> str:
    project = '[project]\nname = "game"\n'
    texts = {"assets.toml": project, COMMAND_LINE: f"[assets.{trial.NAME}]\n{text}"}
    with pytest.raises(ManifestError) as caught:
        parse(texts, root=BUNDLE, bundled=BUNDLE)
    return str(caught.value)


def test_a_trial_is_known_by_the_name_of_its_file() -> None:
    assert trial.COMMAND == COMMAND_LINE


@pytest.mark.parametrize(
    ("text", "fact", "hint"),
    [
        (
            'engine = "stock"\nseed = 1\nsize = [64, 64]',
            "engine `stock` needs a prompt",
            "add `--prompt TEXT`",
        ),
        ('engine = "stock"\nprompt = "x"\nsize = [64, 64]', "engine `stock` needs a seed", "add `--seed N`"),
        ('engine = "stock"\nprompt = "x"\nseed = 1', "engine `stock` needs a size", "add `--size WxH`"),
        (
            'engine = "vector"\ntext = "A"\nsize = [64, 64]',
            "engine `vector` needs the parameter `font`",
            "add `-p font=VALUE`",
        ),
        (
            'engine = "vector"\nprompt = "x"\nparameters.font = "a.ttf"',
            "engine `vector` takes no prompt",
            "leave `--prompt` out",
        ),
        (
            'engine = "stock"\nprompt = "x"\nnegative = "y"',
            "engine `stock` takes no negative",
            "leave `--negative` out; engines that could: `ideogram-v1-turbo`, `ideogram-v3-turbo`",
        ),
        ('engine = "stok"', "unknown engine `stok`", "did you mean `stock`?"),
        ('engine = "placeholder"', "`placeholder` is artlock's own engine", "name another one"),
    ],
)
def test_message(text: str, fact: str, hint: str) -> None:
    assert said(text) == f"command line: {fact}\n\nhint: {hint}"
