"""Contracts are tested where Adobe's files are at hand; elsewhere they are not collected."""

from emulator.conftest import client, start
from support.contracts import ARE_THERE

__all__ = ("client", "start")
collect_ignore_glob = [] if ARE_THERE else ["test_*.py"]
