"""What a picture's file says of itself: A1111's text and IPTC's digital source type, written and read back.

The same words give the same bytes. Knows nothing of pixels and of recipes.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import quoteattr

from PIL import Image

from engines.protocol import EngineError, ErrorKind, Json

TEXT: Final = "parameters"
"""The keyword of A1111's text in a PNG; elsewhere it is the EXIF user comment."""

XMP: Final = "XML:com.adobe.xmp"
INHERITED: Final = "inherited"
UNTOLD: Final = "untold"
"""Words of the builder for a source type that the picture's own source tells, and for none."""

_TYPES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_COMPOSITE: Final = "compositeWithTrainedAlgorithmicMedia"
_TRAINED: Final = "trainedAlgorithmicMedia"
_TYPE: Final = re.compile(r"digitalsourcetype/([A-Za-z]{1,64})")
_GENERATORS: Final = (TEXT, "prompt", "workflow", "invokeai_metadata", "sd-metadata", "Dream")
"""Keywords that only programs write that draw by an AI model."""
_GRAPH: Final = re.compile(r"(prompt|workflow):\s*\{", re.IGNORECASE)
"""How ComfyUI keeps its graphs in a WebP: in any text tag of EXIF."""
_OURS: Final = "Version: artlock"
_LONGEST: Final = 1 << 20
_SIGNATURE: Final = 8
_HEADER: Final = 25
"""Bytes of a PNG's signature, and of the chunk `IHDR` behind it."""
_EXIF_IFD: Final = 0x8769
_COMMENT: Final = 0x9286
_UNICODE: Final = b"UNICODE\0"
_KEPT: Final = "xmp"


@dataclass(frozen=True, slots=True)
class Marks:
    """What is to be written; empty words are left out."""

    text: str = ""
    source: str = ""


def asked(value: Json, image: str) -> Marks:
    """What the parameter `metadata` asks for; what it leaves to the picture is read from the file `image`."""
    match value:
        case None:
            return Marks()
        case {"text": str(text), "source": str(source), **rest} if not rest:
            pass
        case _:
            raise EngineError(ErrorKind.INTERNAL, f"the parameter `metadata` is `{value}`, not two words")
    if text and source not in {INHERITED, UNTOLD}:
        return Marks(text, source)
    own = read(Path(image))
    if source == _COMPOSITE:
        return Marks(text or own.text, source)  # a hand painted over what still says that a model made it
    if source == UNTOLD:
        return Marks(text or own.text)
    # A picture by hand may be one that a model made elsewhere, and says so itself.
    return Marks(text or own.text, own.source or ("" if source == INHERITED else source))


def read(path: Path) -> Marks:
    """What the PNG, WebP or JPEG at `path` says; nothing where it is damaged: its pixels tell that."""
    try:
        with Image.open(path, formats=("PNG", "WEBP", "JPEG")) as image:
            image.load()
            texts = {key: value for key, value in image.info.items() if isinstance(value, str)}
            packet = image.info.get(XMP) or image.info.get(_KEPT) or b""
            exif = image.getexif()
            comment = exif.get_ifd(_EXIF_IFD).get(_COMMENT)
            graph = any(_GRAPH.match(value) for value in exif.values() if isinstance(value, str))
    except Exception:  # noqa: BLE001 - Pillow raises nearly anything, and the decoder tells it better
        return Marks()
    text = texts.get(TEXT) or _comment(comment)
    packet = packet.decode(errors="replace") if isinstance(packet, bytes) else str(packet)
    told = _TYPE.search(packet[:_LONGEST])
    if told:
        return Marks(text[:_LONGEST], told[1])
    drawn = graph or any(key in texts for key in _GENERATORS) or "Steps: " in text
    return Marks(text[:_LONGEST], _TRAINED if drawn and _OURS not in text else "")


def into_png(data: bytes, marks: Marks) -> bytes:
    """The PNG `data` with `marks` behind its header, where readers look first."""
    chunks = b""
    if marks.text:
        chunks += _text_chunk(marks.text)
    if marks.source:
        body = XMP.encode() + b"\0\0\0\0\0" + packet(marks.source).encode()
        chunks += _chunk(b"iTXt", body)
    place = _SIGNATURE + _HEADER
    return data[:place] + chunks + data[place:]


def into_webp(marks: Marks) -> dict[str, bytes]:
    """What to tell Pillow's WebP encoder."""
    options: dict[str, bytes] = {}
    if marks.text:
        exif = Image.Exif()
        exif.get_ifd(_EXIF_IFD)[_COMMENT] = _UNICODE + marks.text.encode("utf-16-be")
        options["exif"] = exif.tobytes()
    if marks.source:
        options[_KEPT] = packet(marks.source).encode()
    return options


def packet(source: str) -> str:
    """An XMP packet that tells the digital source type."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        f' xmp:CreatorTool="artlock" Iptc4xmpExt:DigitalSourceType={quoteattr(_TYPES + source)}/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


def _text_chunk(text: str) -> bytes:
    try:
        return _chunk(b"tEXt", TEXT.encode() + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return _chunk(b"iTXt", TEXT.encode() + b"\0\0\0\0\0" + text.encode(errors="replace"))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _comment(value: object) -> str:
    if not isinstance(value, bytes) or not value.startswith(_UNICODE):
        return ""
    text = value[len(_UNICODE) :]
    little = text[1::2].count(0) > text[::2].count(0)
    return text.decode("utf-16-le" if little else "utf-16-be", errors="replace").strip("\0")
