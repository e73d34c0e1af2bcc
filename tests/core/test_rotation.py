import pytest

from agent.core.rotation import family, is_rotated_name


@pytest.mark.parametrize(
    ("path", "original"),
    [
        ("/var/log/app.log.1", "/var/log/app.log"),
        ("/var/log/app.log.12.gz", "/var/log/app.log"),
        ("/var/log/app.log-20260301", "/var/log/app.log"),
        ("/var/log/app.log-2026-03-01_12:05", "/var/log/app.log"),
        ("/var/log/app-20260301.json", "/var/log/app.json"),
        ("/var/log/app.1.json", "/var/log/app.json"),
        ("/var/log/old/app.log.1", "/var/log/app.log"),
        ("app.log.bak", "app.log"),
        ("app1.log.1", "app1.log"),
    ],
)
def test_rotated_names_are_told(path: str, original: str) -> None:
    assert is_rotated_name(path, original)
    assert not is_rotated_name(original, path)


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("/var/log/app.log", "/var/log/app.log"),
        ("/var/log/orders2.json", "/var/log/orders1.json"),
        ("/var/log/other.log.1", "/var/log/app.log"),
        ("/var/log/app.log.1", "/var/log/web.log"),
        ("/var/log/application.log", "/var/log/app.log"),
    ],
)
def test_other_names_are_not(path: str, other: str) -> None:
    assert not is_rotated_name(path, other)


def test_names_of_one_family_are_in_one_directory() -> None:
    assert family("/a/app.log.1") == family("/a/app.log-2026") == ("/a", "app.log")
    assert family("/b/app.log.1") != family("/a/app.log")
    assert family("1234") == ("", "1234")
