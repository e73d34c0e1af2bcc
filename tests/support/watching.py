"""What an agent says over HTTP to those who watch it."""

import http.client
import json

from support.agent import Running


def admin_address(agent: Running) -> str:
    """Where its admin listener is, as it says in its log first of all."""
    assert agent.process.stderr
    for line in agent.process.stderr:
        said = json.loads(line)
        if said["event"] == "admin listens":
            return str(said["address"])
    raise AssertionError("it never listened")


def get(address: str, path: str, token: str | None = None) -> tuple[int, bytes]:
    """Status and body of the answer at `host:port`, where a token is sent or not."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    try:
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request("GET", path, headers=sent)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
