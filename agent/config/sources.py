"""Where are records read from?"""

from typing import Annotated, Literal

from agent.config.fields import Text
from agent.config.files import FileSource
from agent.config.formats import Formatted
from agent.config.pushes import HttpSource
from agent.config.section import ByType, setting
from agent.config.sockets import TcpSource, UdpSource, UnixDatagramSource, UnixSource


class StdinSource(Formatted):
    """Records from standard input, until it ends."""

    type: Literal["stdin"] = setting(description="stdin: records from standard input.")
    name: Annotated[str, Text("a name")] = setting(
        default="stdin",
        description="Name in receipts, dead letters and metrics.",
        examples=["stdin"],
    )


Source = Annotated[
    StdinSource | FileSource | TcpSource | UdpSource | UnixSource | UnixDatagramSource | HttpSource,
    ByType(),
]
