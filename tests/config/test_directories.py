"""Where does the store live when nobody says?"""

from pathlib import Path

import pytest

from agent.config import default_data_dir


@pytest.mark.parametrize("root", [True, False])
def test_systemd_decides_first(root: bool) -> None:
    environ = {"STATE_DIRECTORY": "/var/lib/one:/var/lib/two", "XDG_STATE_HOME": "/x", "HOME": "/h"}
    assert default_data_dir(environ, root=root) == Path("/var/lib/one")


def test_root_uses_the_directory_of_the_system() -> None:
    environ = {"XDG_STATE_HOME": "/x", "HOME": "/root"}
    assert default_data_dir(environ, root=True) == Path("/var/lib/aep-agent")


@pytest.mark.parametrize(
    ("state_home", "expected"),
    [
        ("/state", "/state/aep-agent"),
        ("", "/home/me/.local/state/aep-agent"),
        ("relative", "/home/me/.local/state/aep-agent"),
    ],
)
def test_a_user_has_a_directory_below_the_state_home(state_home: str, expected: str) -> None:
    environ = {"XDG_STATE_HOME": state_home, "HOME": "/home/me"}
    assert default_data_dir(environ, root=False) == Path(expected)


def test_without_home_the_password_database_says_where_it_is() -> None:
    assert default_data_dir({}, root=False) == Path.home() / ".local/state/aep-agent"
