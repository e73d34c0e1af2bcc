"""Is the Dockerfile well written, by the rules of hadolint?"""

import subprocess
import sys
from pathlib import Path

from agent import __version__
from containers.manifests import ROOT

DOCKERFILE = ROOT / "deploy/docker/Dockerfile"


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_is_sent_to_the_builder_but_what_the_image_is_made_of() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    sent = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        word
        for line in DOCKERFILE.read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert "*" in lines
    assert sent == copied


def test_the_image_says_which_version_it_is() -> None:
    assert f'org.opencontainers.image.version="{__version__}"' in DOCKERFILE.read_text()
