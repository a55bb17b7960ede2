"""A `SpriteFrames` resource of Godot 4, in its text format: every sprite, and every animation, by name.

Knows nothing of pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engines.pack.atlas import Atlas, Frame


def write(atlas: Atlas) -> Mapping[str, str]:
    """Suffix to text: one `.tres`.

    One file, not one for each sprite: the files of an asset stay the same whatever is in it. A sprite is
    an animation of one frame under its own name, so that `get_frame_texture(&"items/sword", 0)` gives its
    `AtlasTexture`. Pages are named relative to the file, which Godot takes: the folder may lie anywhere.
    Godot can't turn a region, so no frame may be rotated.
    """
    return {".tres": "".join(f"{line}\n" for line in _lines(atlas))}


def _lines(atlas: Atlas) -> Iterator[str]:
    pages, frames = len(atlas.pages), len(atlas.frames)
    yield f'[gd_resource type="SpriteFrames" load_steps={pages + frames + 1} format=3]'
    yield ""
    for page in range(pages):
        yield f'[ext_resource type="Texture2D" path="{atlas.picture(page)}" id="{page + 1}"]'
    for number, frame in enumerate(atlas.frames, 1):
        yield ""
        yield from _texture(frame, number)
    yield ""
    yield "[resource]"
    yield f"animations = [{', '.join(_animations(atlas))}]"


def _texture(frame: Frame, number: int) -> Iterator[str]:
    yield f'[sub_resource type="AtlasTexture" id="AtlasTexture_{number}"]'
    yield f'atlas = ExtResource("{frame.page + 1}")'
    yield f"region = Rect2({frame.x}, {frame.y}, {frame.width}, {frame.height})"
    if frame.trimmed:
        # Its size is what it adds on both sides together.
        more = frame.left + frame.right, frame.top + frame.bottom
        yield f"margin = Rect2({frame.left}, {frame.top}, {more[0]}, {more[1]})"
    yield "filter_clip = true"


def _animations(atlas: Atlas) -> Iterator[str]:
    numbers = {frame.name: number for number, frame in enumerate(atlas.frames, 1)}
    singles = {frame.name: (frame.name,) for frame in atlas.frames}
    for name, frames in sorted({**singles, **atlas.animations}.items()):
        textures = ", ".join(
            f'{{\n"duration": 1.0,\n"texture": SubResource("AtlasTexture_{numbers[item]}")\n}}'
            for item in frames
        )
        loop = "true" if name in atlas.animations else "false"
        told = {"frames": f"[{textures}]", "loop": loop, "name": f'&"{name}"', "speed": str(float(atlas.fps))}
        yield "{\n" + ",\n".join(f'"{key}": {value}' for key, value in told.items()) + "\n}"
