"""The special operations: identifiers."""

from typing import Any
from uuid import uuid4

from agent.dataprep.faults import EvaluationError
from agent.dataprep.functions.table import Category

SPECIAL = Category("Special operations")


@SPECIAL.function(name="guid")
@SPECIAL.function()
def uuid() -> str:
    """Generates a random identifier: another one each time, also for a record that comes again."""
    return str(uuid4())


@SPECIAL.function()
def fpid_to_ecid(string: str) -> Any:
    """Converts a first-party device id into an Experience Cloud id.

    How that is done is not published, so here the result is null, with a warning that says so; a
    made-up id would look like a real one.
    """
    raise EvaluationError("how fpid_to_ecid works is not published, so it gives nothing here")
