"""What is a flow? An inlet, and how records get there; there may be several, by name."""

import re
from collections.abc import Iterator

from agent.config.batch import BatchSettings
from agent.config.buffer import DISK_BYTES, BufferSettings
from agent.config.delivery import DeliverySettings
from agent.config.identities import RecordIdSettings
from agent.config.inlet import InletSettings
from agent.config.section import Section, setting
from agent.config.units import show_size
from agent.config.written import Written

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class FlowName(Written):
    """The name of a flow: a label of metrics, and a part of keys and flags."""

    pattern = f"^{_NAME.pattern}$"

    @property
    def advice(self) -> str:
        return "a name of up to 64 letters, digits, _ and -"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            raise ValueError("not a name")
        return value


class FlowSettings(Section):
    """flows.NAME: an inlet, and how records get there; what it does not say, the top level says."""

    inlet: InletSettings = setting(description="The streaming inlet of this flow.")
    record_id: RecordIdSettings = setting(
        default_factory=RecordIdSettings, description="An id for records that have none."
    )
    batch: BatchSettings = setting(
        default_factory=BatchSettings, description="When a batch is closed and sent."
    )
    buffer: BufferSettings = setting(
        default_factory=BufferSettings, description="What is held until records are answered for."
    )
    delivery: DeliverySettings = setting(
        default_factory=DeliverySettings, description="How requests are sent."
    )

    def disagreements(self) -> Iterator[dict[str, str]]:
        """Sizes that do not fit together; see `disagreements`."""
        held = self.buffer.max_bytes or DISK_BYTES, self.buffer.memory_bytes
        yield from disagreements(self.inlet.max_request_bytes, self.batch.max_bytes, *held)


def disagreements(request: int, batch: int, buffer: int, memory: int) -> Iterator[dict[str, str]]:
    """Sizes that do not fit together: for each pair, what to write instead into either key."""
    if batch > request:
        yield {
            "batch.max_bytes": f"at most {show_size(request)}, which is inlet.max_request_bytes",
            "inlet.max_request_bytes": f"at least {show_size(batch)}, which is batch.max_bytes",
        }
    for key, size in (("buffer.max_bytes", buffer), ("buffer.memory_bytes", memory)):
        if size < 2 * batch:
            yield {
                key: f"at least {show_size(2 * batch)}, twice batch.max_bytes",
                "batch.max_bytes": f"at most {show_size(size // 2)}, half of {key}",
            }
