"""Somebody who looks at an emulator's page, while somebody else sends to its inlet."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selenium.webdriver.remote.webelement import WebElement

from support.browser import Browser
from support.emulator import Remote
from support.provisioned import Provisioned


class Visit:
    """A browser before the page of one emulator."""

    def __init__(self, browser: Browser, emulator: Remote) -> None:
        self.browser = browser
        self.emulator = emulator
        self.root = f"http://127.0.0.1:{emulator.port}"

    def go(self, place: str = "") -> None:
        """Open the page anew, at a place of it."""
        self.browser.open(f"{self.root}/#/{place}")

    def turn(self, place: str) -> None:
        """Go to a place of the page that is open."""
        self.browser.run("location.hash = '/' + arguments[0]", place)

    def find(self, selector: str, text: str = "") -> WebElement:
        """The first such element that is shown and holds `text`, waited for."""
        return self.browser.find(selector, text)

    def panel(self, title: str) -> WebElement:
        """The part of the page under that heading."""
        heading = self.find(".panel > header h2", title)
        panel: WebElement = self.browser.run("return arguments[0].closest('.panel')", heading)
        return panel

    def says(self, element: WebElement, text: str) -> None:
        """Wait until an element says so."""
        self.browser.until(lambda: text in element.text, f"{text!r} in {element.text!r}")

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Save what is to be seen."""
        self.browser.picture(path, whole=whole)

    def batch(self, records: Sequence[Any], to: Provisioned | None = None) -> int:
        """Send records, JSON values or raw bytes, in one request; the status of the answer.

        They go to the ready-made flow, or to another, and then are judged before this returns.
        """
        raw = [each if isinstance(each, bytes) else _dumped(each) for each in records]
        inlet_id, flow_id = self._ready_made if to is None else (to.inlet_id, to.flow_id)
        body = b'{"messages":[' + b",".join(raw) + b"]}"
        status = self._posted(f"{self.root}/collection/batch/{inlet_id}", flow_id, body)
        if to is not None:
            self.emulator.settle()
        return status

    def single(self, body: bytes) -> int:
        """Send one body as it is."""
        return self._posted(self.emulator.inlet_url, self.emulator.flow_id, body)

    @property
    def _ready_made(self) -> tuple[str, str]:
        return self.emulator.inlet_url.rpartition("/")[2], self.emulator.flow_id

    def _posted(self, url: str, flow_id: str, body: bytes) -> int:
        headers = {"Content-Type": "application/json", "x-adobe-flow-id": flow_id}
        request = urllib.request.Request(url, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
