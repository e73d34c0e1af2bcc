"""The hash functions."""

import hashlib
import zlib

from agent.dataprep.faults import EvaluationError
from agent.dataprep.functions.table import Category
from agent.dataprep.values import shown

HASHES = Category("Hashing")

# UTF-16 of Java has a byte order mark and is big-endian, Python's is little-endian here.
_CHARSETS = {"UTF-8": "utf-8", "ISO-8859-1": "latin-1", "US-ASCII": "ascii"}


@HASHES.function('sha1("my text", "UTF-8")', "c3599c11e47719df18a2448690840c5dfcce3c80")
def sha1(string: str, charset: str | None = "UTF-8") -> str:
    """Produces the SHA-1 hash of a string, in hexadecimal digits."""
    return hashlib.sha1(_bytes(string, charset), usedforsecurity=False).hexdigest()


@HASHES.function(
    'sha256("my text", "UTF-8")', "7330d2b39ca35eaf4cb95fc846c21ee6a39af698154a83a586ee270a0d372104"
)
def sha256(string: str, charset: str | None = "UTF-8") -> str:
    """Produces the SHA-256 hash of a string, in hexadecimal digits."""
    return hashlib.sha256(_bytes(string, charset)).hexdigest()


@HASHES.function(
    'sha512("my text", "UTF-8")',
    "a3d7e45a0d9be5fd4e4b9a3b8c9c2163c21ef708bf11b4232bb21d2a8704ada2"
    "cdcd7b367dd0788a89a5c908cfe377aceb1072a7b386b7d4fd2ff68a8fd24d16",
)
def sha512(string: str, charset: str | None = "UTF-8") -> str:
    """Produces the SHA-512 hash of a string, in hexadecimal digits."""
    return hashlib.sha512(_bytes(string, charset)).hexdigest()


@HASHES.function('md5("my text", "UTF-8")', "d3b96ce8c9fb4e9bd0198d03ba6852c7")
def md5(string: str, charset: str | None = "UTF-8") -> str:
    """Produces the MD5 hash of a string, in hexadecimal digits."""
    return hashlib.md5(_bytes(string, charset), usedforsecurity=False).hexdigest()


@HASHES.function('crc32("my text", "UTF-8")', "8df92e80")
def crc32(string: str, charset: str | None = "UTF-8") -> str:
    """Produces the CRC-32 of a string, its four bytes in the order of the platform.

    That is backwards: the usual CRC-32 of "my text" is 802ef98d.
    """
    return zlib.crc32(_bytes(string, charset)).to_bytes(4, "little").hex()


def _bytes(string: str, charset: str | None) -> bytes:
    name = (charset or "UTF-8").upper()
    # Java writes ? for what a charset lacks, and for half a surrogate pair.
    if name == "UTF-16":
        return b"\xfe\xff" + string.encode("utf-16-be", "replace")
    if name not in _CHARSETS:
        raise EvaluationError(
            f"the charset {shown(name)} is none of UTF-16, {', '.join(_CHARSETS)}"
        )
    return string.encode(_CHARSETS[name], "replace")
