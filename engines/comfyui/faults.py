"""What a server complains of, as errors that name the node and its input.

Knows nothing of how a complaint arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engines.comfyui.workflow import Nodes, told
from engines.parameters import bad
from engines.protocol import EngineError, ErrorKind, Json

_MODELS: Final = (".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".pth", ".bin", ".gguf", ".onnx")
_NO_ROOM: Final = ("outofmemory", "out of memory", "allocation on device")
_LONGEST: Final = 500
_NODE_GONE: Final = ("missing_node_type", "invalid_prompt")


def check(answer: Mapping[str, Json], nodes: Nodes) -> None:
    """Raise `EngineError` where the server did not take the workflow, or takes only a part of it."""
    if "error" in answer or answer.get("node_errors"):
        raise _refused(answer, nodes)


def _refused(answer: Mapping[str, Json], nodes: Nodes) -> EngineError:
    for number, complaint in _table(answer.get("node_errors")).items():
        for error in _table(complaint).get("errors") or [{}]:
            return _wrong_input(number, _table(error), nodes)
    error = _table(answer.get("error"))
    extra = _table(error.get("extra_info"))
    number, kind = str(extra.get("node_id")), extra.get("class_type")
    if error.get("type") in _NODE_GONE and number in nodes:
        return EngineError(
            ErrorKind.MISSING,
            f"the server has no node type `{kind or nodes[number]['class_type']}`, "
            f"which node `{number}` of the workflow is",
            hint="install the custom nodes that have it on the server, and restart it",
        )
    said = " ".join(str(error.get(key) or "") for key in ("message", "details")).strip()
    return bad(f"the server refused the workflow: {_short(said or str(answer.get('error')))}")


def _wrong_input(number: str, error: Mapping[str, Json], nodes: Nodes) -> EngineError:
    extra = _table(error.get("extra_info"))
    field, value = extra.get("input_name"), extra.get("received_value")
    where = told(nodes, number)
    if error.get("type") == "value_not_in_list":
        if isinstance(value, str) and value.lower().endswith(_MODELS):
            return EngineError(
                ErrorKind.MISSING,
                f"the server has no model `{value}`, which {where} wants as `{field}`",
                hint="put it into the server's `models` folder, or choose another one in the workflow",
            )
        return bad(f"`{field}` of {where} can't be `{value}`: {_short(error.get('details'))}", _MEND)
    what = f"`{field}` of {where}" if field else where
    details = str(error.get("details") or "")
    more = f" ({_short(details)})" if details and details != field else ""
    return bad(f"the server refused {what}: {_short(error.get('message'))}{more}", _MEND)


_MEND: Final = "correct the workflow, or the value that the asset gives for it"


def failed(event: Mapping[str, Json], nodes: Nodes) -> EngineError:
    """The error for a node that failed while it worked."""
    where = told(nodes, str(event.get("node_id")))
    kind, message = str(event.get("exception_type") or ""), str(event.get("exception_message") or "").strip()
    if any(words in f"{kind} {message}".lower() for words in _NO_ROOM):
        return EngineError(
            ErrorKind.OUT_OF_MEMORY,
            f"the server ran out of memory in {where}",
            hint="choose a smaller size or model, or close what else uses the server's GPU",
        )
    return EngineError(
        ErrorKind.INTERNAL,
        f"{where} failed on the server: {_short(f'{kind}: {message}' if kind else message)}",
        hint="run the workflow in ComfyUI itself; the server's log has the traceback",
    )


def interrupted(event: Mapping[str, Json], nodes: Nodes) -> EngineError:
    """The error for a job that somebody stopped at the server."""
    return EngineError(
        ErrorKind.INTERNAL,
        f"the job was interrupted on the server, in {told(nodes, str(event.get('node_id')))}",
        hint="build again",
    )


def judge(entry: Mapping[str, Json], nodes: Nodes) -> None:
    """Raise `EngineError` where a job's `entry` in the server's history says that it failed."""
    status = _table(entry.get("status"))
    if status.get("status_str") != "error":
        return
    for message in status.get("messages") or []:
        if isinstance(message, list) and len(message) > 1:
            if message[0] == "execution_interrupted":
                raise interrupted(_table(message[1]), nodes)
            if message[0] == "execution_error":
                raise failed(_table(message[1]), nodes)
    raise EngineError(
        ErrorKind.INTERNAL,
        "the job failed on the server, which does not say why",
        hint="read the server's log",
    )


def _table(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _short(value: Json) -> str:
    text = str(value).strip()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
