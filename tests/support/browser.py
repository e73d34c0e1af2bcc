"""A real Chromium without a window, which finds nobody but this machine."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

Found = TypeVar("Found")

_PROGRAMS = ("chromium", "chromedriver")
_FLAGS = (
    "--headless=new",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--no-sandbox",  # root's does not start with one, and in many containers there is none
    "--hide-scrollbars",
)


class Browser:
    """`with Browser(tmp_path) as browser: browser.open(url)`; what is looked for may take time."""

    def __init__(self, directory: Path) -> None:
        missing = [name for name in _PROGRAMS if shutil.which(name) is None]
        if missing:
            raise RuntimeError(
                f"{' and '.join(missing)} not found; install a browser for the tests: "
                "apt-get install -y --no-install-recommends "
                "chromium chromium-driver fonts-dejavu-core"
            )
        options = ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in (*_FLAGS, f"--user-data-dir={directory / 'profile'}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = Chrome(options, Service(str(shutil.which("chromedriver"))))
        self.look_like(1280, 900)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.driver.quit()

    def look_like(
        self, width: int, height: int, *, dark: bool = False, phone: bool = False, scale: int = 1
    ) -> None:
        """Be a screen of this size, in points, with this taste."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": phone},
        )
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, url: str) -> None:
        """Load a page, from scratch even where only its fragment differs."""
        self.driver.get("about:blank")
        self.driver.get(url)

    def find(self, selector: str, text: str = "", seconds: float = 10) -> WebElement:
        """The first element that is shown, matches, and holds `text`."""
        return self.until(lambda: self._found(selector, text), f"{selector} with {text!r}", seconds)

    def all(self, selector: str) -> list[WebElement]:
        """Every element that matches now."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def click(self, element: WebElement) -> None:
        """Click it in the middle of the screen, where nothing sticks to the edge over it."""
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def until(self, look: Callable[[], Found | None], what: str, seconds: float = 10) -> Found:
        """What `look` finds, once it finds something."""
        end = time.monotonic() + seconds
        while not (found := _looked(look)):
            if time.monotonic() > end:
                shown = self.driver.find_element(By.TAG_NAME, "body").text
                raise AssertionError(f"no {what} within {seconds} s; the page says:\n{shown}")
            time.sleep(0.03)
        return found

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *arguments)

    def complaints(self) -> list[str]:
        """What the browser's console was told since the last look: errors, blocked loads."""
        logged = self.driver.get_log("browser")
        return [entry["message"] for entry in logged if entry["level"] in ("SEVERE", "WARNING")]

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Save what is to be seen, or the whole length of the page."""
        if whole:
            height = self.run("return document.documentElement.scrollHeight")
            width = self.run("return innerWidth")
            scale = self.run("return devicePixelRatio")
            self.driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False},
            )
            time.sleep(0.2)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))

    def _found(self, selector: str, text: str) -> WebElement | None:
        for element in self.all(selector):
            if element.is_displayed() and text in element.text:
                return element
        return None


def _looked(look: Callable[[], Found | None]) -> Found | None:
    try:
        return look()
    except StaleElementReferenceException:
        return None  # drawn anew meanwhile
