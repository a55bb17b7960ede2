"""A real headless Chromium, spoken to by its DevTools protocol over one web socket."""

from __future__ import annotations

import base64
import itertools
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from websockets.sync.client import ClientConnection, connect

from engines import png
from engines.png import Pixels

SECONDS: Final = 60
"""What anything may take on a busy machine; nothing is timed by it."""

KEYS: Final = {"ArrowDown": 40, "ArrowUp": 38, "Escape": 27, "Tab": 9, "Enter": 13, " ": 32}


class Page:
    """One tab. Complaints of the console and of the page's policy are kept in `complaints`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._socket.recv(timeout=SECONDS))
            if said.get("id") == number:
                assert "error" not in said, (method, said)
                return said["result"]
            self._hear(said.get("method", ""), said.get("params", {}))

    def _hear(self, method: str, said: Any) -> None:
        if method == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.complaints.append(said["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(said["exceptionDetails"])[:2000])
        elif method == "Network.requestWillBeSent" and not said["request"]["url"].startswith("data:"):
            self.requests.append(said["request"]["url"])

    def do(self, script: str) -> Any:
        """What the script, an expression, comes to; promises are waited for."""
        done = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def until(self, script: str) -> Any:
        """Wait until the script comes to something true."""
        end = time.monotonic() + SECONDS
        while not (found := self.do(script)):
            assert time.monotonic() < end, f"{script}: never; {self.complaints}"
            time.sleep(0.02)
        return found

    def open(self, address: str) -> None:
        self.ask("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def press(self, key: str) -> None:
        code = KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        common = {"key": key, "windowsVirtualKeyCode": code}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def drag(self, *places: tuple[float, float]) -> None:
        """Press the mouse at the first place, move it over the others, let go."""
        kinds = ["mousePressed", *["mouseMoved"] * (len(places) - 1)]
        for kind, (x, y) in zip(kinds, places, strict=True):
            self._mouse(kind, x, y)
        self._mouse("mouseReleased", *places[-1])

    def _mouse(self, kind: str, x: float, y: float) -> None:
        self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def settled(self) -> None:
        """All pictures that are on the stage are decoded and painted."""
        self.until("[...document.querySelectorAll('#stage img')].every(image => image.complete)")
        self.do("Promise.all([...document.querySelectorAll('#stage img')].map(image => image.decode()))")
        self.do("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def shot(self) -> bytes:
        data: str = self.ask("Page.captureScreenshot", format="png")["data"]
        return base64.b64decode(data)

    def seen(self) -> Pixels:
        return png.rgba(png.decode_bytes(self.shot(), "the screen"))

    def window(self, width: int, height: int) -> None:
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def prefer(self, **features: str) -> None:
        """Media features, such as `prefers_color_scheme="dark"`."""
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.ask("Emulation.setEmulatedMedia", features=named)


@contextmanager
def chromium(profile: Path) -> Iterator[Page]:
    """A tab of a new browser, which ends with the block."""
    words = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
        "--force-color-profile=srgb", "--remote-debugging-port=0", "--remote-allow-origins=*",
        "--disable-background-networking", f"--user-data-dir={profile}", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with connect(_address(profile, process), max_size=None) as socket:
            page = Page(socket)
            page.window(1400, 900)
            yield page
    finally:
        process.terminate()
        process.wait(SECONDS)


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    told = profile / "DevToolsActivePort"
    end = time.monotonic() + SECONDS
    while not (told.is_file() and told.read_text(encoding="utf-8").count("\n")):
        assert process.poll() is None, "chromium left"
        assert time.monotonic() < end, "chromium does not say where it listens"
        time.sleep(0.05)
    port = told.read_text(encoding="utf-8").split()[0]
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=SECONDS) as answer:
            for target in json.load(answer):
                if target["type"] == "page":
                    return str(target["webSocketDebuggerUrl"])
        assert time.monotonic() < end, "chromium has no page"
