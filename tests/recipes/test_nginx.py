"""nginx's access log as records: from its file, and from its syslog messages."""

import http.client
import json
from collections.abc import Callable
from urllib.parse import quote

from recipes.stage import Stage, program
from support.accounts import kept_in
from support.agent import eventually

DELICATE = ["/a?q=%22quoted%22", "/caf%C3%A9", "/tab%09", "/" + "x" * 1500, "/back%5Cslash"]


def nginx(stage: Stage) -> None:
    """nginx with the recipe in the http block of a smallest configuration."""
    recipe = stage.place("nginx.conf")
    (stage.root / "etc" / "main.conf").write_text(
        f"daemon off; pid {stage.root}/nginx.pid; error_log stderr notice;\n"
        "events {}\n"
        f"http {{ include {recipe}; client_body_temp_path {stage.root}/body;\n"
        f"server {{ listen 127.0.0.1:{stage.port('8080')}; return 200 'ok'; }} }}\n"
    )
    main = str(stage.root / "etc" / "main.conf")
    stage.start([program("nginx"), "-p", str(stage.root), "-c", main])


def visit(stage: Stage, paths: list[str], browser: bytes = b'Mozilla "\xc3\xa9" \\ {}') -> None:
    """Ask for these, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", stage.port("8080"), timeout=10)
    for path in paths:
        connection.request("GET", path, headers={"User-Agent": browser})
        assert connection.getresponse().read() == b"ok"
    connection.close()


def test_what_a_client_sends_that_is_no_text_makes_a_dead_letter_of_its_line_alone(
    stage: Stage,
) -> None:
    running = stage.agent("files.yaml")
    nginx(stage)
    eventually(lambda: (stage.root / "nginx.pid").exists())
    visit(stage, ["/before"])
    visit(stage, ["/odd"], browser=b"caf\xe9")
    visit(stage, ["/after"])
    eventually(lambda: len(uris(stage)) >= 2)
    assert stage.stop(running) == 0
    assert sorted(uris(stage)) == ["/after", "/before"]
    (letter,) = kept_in(stage.data).dead_letters
    assert b'"/odd"' in letter.record
    assert letter.reason == "invalid_utf8"


def uris(stage: Stage) -> list[str]:
    return [json.loads(record)["uri"] for record in stage.emulator.records()]


def test_the_access_log_arrives_from_its_file(
    stage: Stage, books_balance: Callable[[], None]
) -> None:
    running = stage.agent("files.yaml")
    nginx(stage)
    eventually(lambda: (stage.root / "nginx.pid").exists())
    paths = [f"/order/{n}?city={quote('Zürich')}" for n in range(200)] + DELICATE
    visit(stage, paths)
    eventually(lambda: len(uris(stage)) >= len(paths))
    assert sorted(uris(stage)) == sorted(paths)
    assert json.loads(stage.emulator.records()[0])["status"] == 200
    assert stage.stop(running) == 0
    books_balance()


def test_the_access_log_arrives_as_syslog_messages_without_their_headers(
    stage: Stage, books_balance: Callable[[], None]
) -> None:
    running = stage.listening("syslog.yaml")
    nginx(stage)
    eventually(lambda: (stage.root / "nginx.pid").exists())
    paths = [f"/order/{n}" for n in range(200)] + DELICATE
    visit(stage, paths)
    eventually(lambda: len(uris(stage)) >= len(paths))
    assert sorted(uris(stage)) == sorted(paths)
    assert stage.stop(running) == 0
    books_balance()
