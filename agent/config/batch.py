"""When is a batch closed and sent?"""

from typing import Annotated

from agent.config.quantities import Duration, Size, Whole
from agent.config.section import Section, setting


class BatchSettings(Section):
    """batch: when a batch is closed and sent; whichever limit is reached first."""

    max_bytes: Annotated[int, Size("1KB", "100MB")] = setting(
        default=900_000,
        description="Bytes of a request that close it; 900KB costs the least CPU within the 1MB.",
        examples=["900KB"],
    )
    max_records: Annotated[int, Whole("1", "1000000")] = setting(
        default=5000,
        description="Records that close a batch; 5000 keeps answers, one line each, readable.",
        examples=[5000],
    )
    max_wait: Annotated[float, Duration("0s", "1h")] = setting(
        default=1.0,
        description="Longest wait of a record for its batch to fill; 1s is fresh and still cheap.",
        examples=["1s"],
    )
