"""What aiohttp loads for nobody stays away; whom the agent trusts is as the system says."""

import json
import os
import subprocess
import sys
from pathlib import Path

AUTHORITY = Path(__file__).parents[1] / "delivery" / "certificates" / "ca.pem"

LOOK = """
import json, os
from agent.aep.http_client import aiohttp
from agent.aep.transport import DIRECT, tls
from yarl import URL

print(json.dumps({
    "named": os.environ.get("SSL_CERT_FILE"),
    "left": [name for name in ("SSL_CERT_DIR", "FROZENLIST_NO_EXTENSIONS") if name in os.environ],
    "ours": tls(URL("https://inlet.invalid/"), DIRECT).cert_store_stats()["x509_ca"],
    "of_aiohttp": aiohttp.connector._SSL_CONTEXT_VERIFIED.cert_store_stats()["x509_ca"],
    "verifies": aiohttp.connector._SSL_CONTEXT_VERIFIED.verify_mode.name,
    "libraries": open("/proc/self/maps").read(),
}))
"""


def test_the_systems_authorities_are_read_for_our_connections_and_not_for_nobodys() -> None:
    environ = {name: value for name, value in os.environ.items() if name != "SSL_CERT_DIR"}
    environ["SSL_CERT_FILE"] = str(AUTHORITY)
    looked = subprocess.run(
        [sys.executable, "-c", LOOK], env=environ, check=True, capture_output=True
    )
    seen = json.loads(looked.stdout)

    assert (seen["named"], seen["left"]) == (str(AUTHORITY), [])
    assert (seen["ours"], seen["of_aiohttp"], seen["verifies"]) == (1, 0, "CERT_REQUIRED")
    assert "libssl" in seen["libraries"]
    assert "libstdc++" not in seen["libraries"]
