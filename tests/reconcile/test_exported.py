"""What the platform exports of a failed record is read, in whichever of its forms."""

import json
from typing import Any

import pytest

from agent.reconcile.exported import failure

LEAF = {"keyword": "format", "pointerToViolation": "#/timestamp", "message": "[x] is no date"}
TWO = {"message": "2 found", "causingExceptions": [LEAF, LEAF]}


def _line(**members: Any) -> bytes:
    return json.dumps(members).encode()


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"_validationErrors": [LEAF]}, "format #/timestamp: [x] is no date"),
        (
            {
                "_errors": {
                    "_streamingValidation": [{"message": "Payload header is missing Source"}]
                }
            },
            "Payload header is missing Source",
        ),
        ({"_validationErrors": [TWO]}, "format #/timestamp: [x] is no date"),
        ({"_errors": "odd"}, "the platform does not say why"),
        ({}, "the platform does not say why"),
        ({"_validationErrors": [7, {"causingExceptions": 7}]}, "the platform does not say why"),
    ],
)
def test_why_it_failed_is_told_in_its_words(members: dict[str, Any], reason: str) -> None:
    assert failure(_line(**members)).reason == reason


def test_its_entity_keeps_its_bytes_and_its_id_is_found() -> None:
    line = b'{"header":{"xactionId":"1:2:3"},"body":{"xdmMeta":{},"xdmEntity":{ "a": 1.50 }}}'

    found = failure(line)

    assert (found.xaction_id, found.entity) == ("1:2:3", b'{ "a": 1.50 }')


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"7", b'{"body":7}', b'{"body":{"xdmEntity":null}}', b'{"header":[]}'],
)
def test_what_cannot_be_read_is_a_failure_all_the_same(line: bytes) -> None:
    found = failure(line)

    assert (found.line, found.xaction_id, found.entity) == (line, None, None)
    assert found.reason
