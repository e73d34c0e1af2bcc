"""A shop that hands its orders to the agent beside it: as lines in a file, to a socket, over HTTP.

Told to stop, it goes on for a while, as applications do that finish what they have begun.
"""

import http.client
import json
import os
import signal
import socket
import time
from contextlib import closing
from itertools import count
from pathlib import Path

FILE = Path(os.environ.get("SHOP_FILE", "/var/log/app/orders.json"))
SOCKET = os.environ.get("SHOP_SOCKET", "/run/aep-agent/records.sock")
PUSH = os.environ.get("SHOP_PUSH", "127.0.0.1:9601")
LAST_WORDS = float(os.environ.get("SHOP_LAST_WORDS", "3"))  # seconds after it was told to stop
PAUSE = 0.005

told_at: list[float] = []


def main() -> None:
    """Sell until told to stop, and a little longer; say at the end what was sold."""
    signal.signal(signal.SIGTERM, lambda *_: told_at.append(time.monotonic()))
    with (
        FILE.open("ab", buffering=0) as file,
        socket.socket(socket.AF_UNIX) as lines,
        closing(http.client.HTTPConnection(PUSH, timeout=30)) as push,
    ):
        lines.connect(SOCKET)
        for number in count():
            order = json.dumps({"order": number, "shop": os.environ.get("HOSTNAME", "here")})
            match number % 3:
                case 0:
                    file.write(f"{order}\n".encode())
                case 1:
                    lines.sendall(f"{order}\n".encode())
                case 2:
                    push.request("POST", "/", order)
                    with push.getresponse() as answer:
                        answer.read()
                        assert answer.status == http.HTTPStatus.OK, answer.reason
            if told_at and time.monotonic() > told_at[0] + LAST_WORDS:
                break
            time.sleep(PAUSE)
    print(json.dumps({"sold": number + 1}), flush=True)


if __name__ == "__main__":
    main()
