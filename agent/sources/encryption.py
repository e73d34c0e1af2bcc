"""How are connections secured by TLS, and what is told of clients that do not get that far?"""

import os
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.config.listening import ListenerTlsSettings
from agent.core.frames import Framer
from agent.errors import ConfigError
from agent.sources.connection import Connection, Unsecured
from agent.telemetry.logs import get_logger

log = get_logger("source")

_LOOK_AGAIN = 10.0  # seconds between two looks at whether the certificates were renewed

# What OpenSSL calls it, what it is, and what can be done.
_NOT_TLS = ("the client does not speak TLS", "switch TLS on in the client")
_FAILURES = {
    "HTTP_REQUEST": _NOT_TLS,
    "WRONG_VERSION_NUMBER": _NOT_TLS,
    "UNKNOWN_PROTOCOL": _NOT_TLS,
    "RECORD_LAYER_FAILURE": _NOT_TLS,
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": (
        "the client sent no certificate",
        "give the client one that client_ca_file vouches for",
    ),
    "CERTIFICATE_VERIFY_FAILED": (
        "the client's certificate is not trusted",
        "have it signed by an authority in client_ca_file, and not expired",
    ),
    "TLSV1_ALERT_UNKNOWN_CA": (
        "the client does not trust our certificate",
        "give the client the authority that signed cert_file",
    ),
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": ("our certificate has expired", "renew cert_file"),
    "UNSUPPORTED_PROTOCOL": ("the client's version of TLS is too old", "use TLS 1.2 or later"),
    "NO_SHARED_CIPHER": ("no cipher that both sides have", "bring the client up to date"),
}


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM format: our own, and of who may vouch for clients, where they must have one."""

    cert_file: Path
    key_file: Path | None = None
    client_ca_file: Path | None = None


def encryption_of(settings: ListenerTlsSettings | None) -> "Encryption | None":
    """What the settings say. Raises ConfigError where the certificates cannot be loaded."""
    if settings is None:
        return None
    files = settings.cert_file, settings.key_file, settings.client_ca_file
    return Encryption(Certificates(*files))


class Encryption:
    """Secures what is accepted; a renewed certificate is taken up without a restart."""

    def __init__(self, certificates: Certificates) -> None:
        """Raises ConfigError where the certificates cannot be loaded."""
        self._certificates = certificates
        self._seen = self._state()
        self._looked = time.monotonic()
        try:
            self.context = _context(certificates)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(_unusable(certificates, error)) from error

    def present(self) -> ssl.SSLContext:
        """Whom the agent is now: certificates that were renewed are taken up here."""
        if time.monotonic() - self._looked >= _LOOK_AGAIN:
            self.renew()
        return self.context

    def renewing(self) -> ssl.SSLContext:
        """A context for servers of the loop: each client meets the certificate as it is by then."""

        def renew(client: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            client.context = self.present()

        context = self.present()
        context.sni_callback = renew
        return context

    def connection(
        self, opened: socket.socket, peer: object, framer: Framer, now: float
    ) -> "EncryptedConnection":
        """A connection that begins with a handshake."""
        secured = self.present().wrap_socket(
            opened, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        return EncryptedConnection(secured, peer, framer, now)

    def renew(self) -> None:
        """Take up certificates that were renewed; keep the old ones where they cannot be used."""
        self._looked = time.monotonic()
        if (state := self._state()) == self._seen:
            return
        self._seen = state
        try:
            self.context = _context(self._certificates)
        except (OSError, ssl.SSLError) as error:
            reason = _unusable(self._certificates, error)
            log.error("the renewed certificate cannot be used, keeping the old one", reason=reason)
        else:
            log.info("the certificate was renewed", cert_file=str(self._certificates.cert_file))

    def _state(self) -> list[tuple[int, int]]:
        found = []
        files = self._certificates
        for path in (files.cert_file, files.key_file, files.client_ca_file):
            with suppress(OSError):
                if path:
                    state = path.stat()
                    found.append((state.st_ino, state.st_mtime_ns))
        return found


class EncryptedConnection(Connection):
    """One client's, secured."""

    __slots__ = ()

    socket: ssl.SSLSocket

    def __init__(self, opened: ssl.SSLSocket, peer: object, framer: Framer, now: float) -> None:
        super().__init__(opened, peer, framer, now)
        self.is_ready = False
        self.unfinished_since = now  # the handshake is to come to its end in time, too

    def receive(self, buffer: memoryview) -> int | None:
        """Bytes read and deciphered; also shakes hands. `again` is set where there may be more."""
        self.again = False
        if not self.is_ready and not self._shake_hands():
            return None
        count = 0
        while count < len(buffer):
            try:
                more = self.socket.recv_into(buffer[count:])
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError):
                return count or None
            except OSError:
                if not count:
                    raise
                more = 0  # it will be raised again
            if not more:
                self.again = count > 0
                return count
            count += more
        self.again = True  # what was deciphered is nowhere that the kernel could tell of
        return count

    def close(self) -> None:
        """Close it, telling the client that this is the end and nothing was cut off."""
        with suppress(OSError, ValueError):
            self.socket.unwrap()
        self.socket.close()

    def _shake_hands(self) -> bool:
        try:
            self.socket.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError):
            return False
        except (ssl.SSLEOFError, ConnectionError):
            raise
        except ssl.SSLError as error:
            raise _failure(error) from error
        self.is_ready = True
        self.unfinished_since = None
        return True


def _context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificates.cert_file, certificates.key_file, password=_no_password)
    if certificates.client_ca_file:
        context.load_verify_locations(certificates.client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _no_password() -> str:
    raise OSError("the key is encrypted: write it without a password, readable by the agent only")


def _unusable(certificates: Certificates, error: Exception) -> str:
    for path in (certificates.cert_file, certificates.key_file, certificates.client_ca_file):
        if path:
            try:
                path.read_bytes()
            except OSError as unreadable:
                return f"tls: cannot read {path}: {unreadable.strerror}; check path and permissions"
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return f"tls: the key does not belong to the certificate in {certificates.cert_file}"
    if isinstance(error, ssl.SSLError):
        return (
            f"tls: cannot load the certificates ({reason or error}): cert_file needs a certificate,"
            " key_file (or cert_file) its key, and client_ca_file certificates, all as PEM"
        )
    return f"tls: {error}"


def _failure(error: ssl.SSLError) -> Unsecured:
    reason = error.reason or os.strerror(error.errno or 0)
    words, next_step = _FAILURES.get(reason, (reason.lower().replace("_", " "), ""))
    if isinstance(error, ssl.SSLCertVerificationError):
        words += f": {error.verify_message}"
    return Unsecured(words, next_step)
