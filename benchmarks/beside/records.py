"""How is a record known again: in a file, in the body of a request, in a dead letter?"""

import re

# Inside of OTLP/JSON, quotes are escaped.
_ID = re.compile(rb'\{\\?"_id\\?":\\?"([0-9a-f]{8}-\d{5})-')


def ids_in(content: bytes) -> list[str]:
    """The ids of the records in it, in order, as `benchmarks.events` gave them: block and place."""
    return [found.decode() for found in _ID.findall(content)]
