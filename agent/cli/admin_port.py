"""How does a command ask a running agent, here or elsewhere? Over its admin port, as anybody may.

The standard library does: a command that asks once a second need not import a client.
"""

import argparse
import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from agent.errors import AgentError, InputError

if TYPE_CHECKING:
    from agent.config.model import Config

_DEFAULT = "127.0.0.1:9600"
_ANSWER_SECONDS = 5.0
_ANSWER_BYTES_MAX = 64 << 20
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}  # from, to


class NoAnswer(AgentError):
    """Nobody there, or nobody who answers as an agent does; says what to look at."""


class AdminPort:
    """The admin port of one agent."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        ca_file: Path | None = None,
        cert_file: Path | None = None,
    ) -> None:
        """*url* is http(s)://host:port, or host:port; *cert_file* holds a certificate of our own,
        with its key. Raises InputError where one of them is of no use."""
        self.url = _whole(url)
        self._token = token
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if ca_file or cert_file:
            handlers.append(urllib.request.HTTPSHandler(context=_context(ca_file, cert_file)))
        self._opener = urllib.request.build_opener(*handlers, _NoRedirects())

    def status(self, history_seconds: int = 0) -> dict[str, Any]:
        """What /status says. Raises NoAnswer."""
        query = f"?history={history_seconds}" if history_seconds else ""
        try:
            told = json.loads(self.read(f"/status{query}"))
        except ValueError:
            told = None
        if not isinstance(told, dict) or "version" not in told:
            raise NoAnswer(f"what answers at {self.url} is no aep-agent; check --url")
        return told

    def read(self, path: str, *, any_status: bool = False) -> bytes:
        """The whole answer to a question. Raises NoAnswer, also for what is no 200."""
        with self._ask(path, any_status=any_status) as answer:
            try:
                content = answer.read(_ANSWER_BYTES_MAX)
                if getattr(answer, "length", None):  # more was announced than came
                    raise IncompleteRead(content)
                return content
            except (OSError, HTTPException) as error:
                self._give_up(error)

    def lines(self, path: str) -> Iterator[bytes]:
        """The lines of an answer as they come, until it ends. Raises NoAnswer."""
        with self._ask(path) as answer:
            try:
                yield from answer
            except TimeoutError:
                raise NoAnswer(f"the agent at {self.url} has fallen silent") from None
            except (OSError, HTTPException) as error:
                self._give_up(error)

    def _ask(self, path: str, *, any_status: bool = False) -> HTTPResponse:
        request = urllib.request.Request(self.url + path)
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            answer: HTTPResponse = self._opener.open(request, timeout=_ANSWER_SECONDS)
        except urllib.error.HTTPError as error:
            if any_status:
                return error  # type: ignore[return-value]  # it is the answer, too
            with error:
                raise NoAnswer(self._refused(path, error)) from None
        except (OSError, HTTPException, ValueError) as error:
            self._give_up(error)
        return answer

    def _refused(self, path: str, error: urllib.error.HTTPError) -> str:
        if error.code in (401, 403):
            known = "is not the one it wants" if self._token else "is needed"
            return (
                f"a token {known} at {self.url}: --token-file names a file with the one of"
                " admin.token"
            )
        said = error.read(500).decode("utf-8", "replace").strip().partition("\n")[0]
        words = f": {said}" if said.isprintable() and said else ""
        return f"{self.url}{path.partition('?')[0]} was answered with {error.code}{words}"

    def _give_up(self, error: Exception) -> NoReturn:
        reason = getattr(error, "reason", error)
        words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise NoAnswer(
            f"no agent answers at {self.url}: {words.lower()}; is it running, and does it listen"
            " there? --url says where (admin.listen of its configuration)"
        ) from error


def _context(ca_file: Path | None, cert_file: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # of which ssl.SSLError is one
        raise InputError(f"--ca-file {ca_file}: {error.strerror or error}") from error
    if cert_file:
        try:
            context.load_cert_chain(cert_file)
        except OSError as error:
            raise InputError(f"--cert-file {cert_file}: {error.strerror or error}") from error
    return context


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """The admin port sends nobody elsewhere: what does is no agent."""


def add_admin_port(parser: argparse.ArgumentParser) -> None:
    """The flags that say where the agent is."""
    parser.add_argument(
        "--url",
        metavar="URL",
        help=f"of the admin port, or HOST:PORT (AEP_AGENT_ADMIN__LISTEN, or {_DEFAULT})",
    )
    parser.add_argument(
        "--config", "-c", metavar="FILE", help="configuration of the agent, which says where"
    )
    parser.add_argument(
        "--token-file", metavar="FILE", help="holds the token (else AEP_AGENT_ADMIN__TOKEN)"
    )
    parser.add_argument(
        "--ca-file", metavar="FILE", type=Path, help="who vouches for its certificate (https)"
    )
    parser.add_argument(
        "--cert-file",
        metavar="FILE",
        type=Path,
        help="a certificate of our own with its key, where the agent asks for one",
    )


def admin_port_of(args: argparse.Namespace, config: "Config | None" = None) -> AdminPort:
    """The admin port that flags, environment and configuration name, in this order.

    Raises ConfigError where the configuration is wrong, InputError where a flag is.
    """
    if config is None and args.config:
        from agent.config import load

        config = load(Path(args.config))
    url = args.url or os.environ.get("AEP_AGENT_ADMIN__LISTEN") or _listening(config) or _DEFAULT
    return AdminPort(url, _token(args, config), args.ca_file, args.cert_file)


def _listening(config: "Config | None") -> str | None:
    if config is None:
        return None
    if config.admin.listen is None:
        raise InputError("the configuration switches the admin port off: admin.listen is null")
    return config.admin.listen


def _token(args: argparse.Namespace, config: "Config | None") -> str | None:
    if not args.token_file:
        configured = config.admin.read_token() if config else None
        return configured or os.environ.get("AEP_AGENT_ADMIN__TOKEN")
    try:
        return Path(args.token_file).read_text("ascii").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII text"
        raise InputError(f"--token-file {args.token_file}: {reason}") from error


def _whole(url: str) -> str:
    """`http://host:port` for whatever way somebody wrote it."""
    whole = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(whole)
        port = parts.port
    except ValueError:
        port, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.username is not None:
        raise InputError(f"--url {url!r}: write a URL such as http://127.0.0.1:9600, or host:port")
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc
    host = _ANYWHERE.get(host, host)
    return f"{parts.scheme}://{host}{f':{port}' if port is not None else ''}"
