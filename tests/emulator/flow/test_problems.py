"""The catalogue: every entry makes an answer of the documented shape."""

import string

import pytest

from agent.emulator.flow.problems import CATALOGUE, Problem


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_entry_of_the_catalogue_can_be_answered(code: str) -> None:
    gaps = {name for _, name, _, _ in string.Formatter().parse(CATALOGUE[code]) if name}
    refused = Problem(code, **{name: f"a {name}" for name in gaps}).refused("request-1")
    body = refused.body
    assert refused.status == body["status"] == int(code.partition("-")[2])
    assert body["type"] == f"https://ns.adobe.com/aep/errors/FLOW-{code}"
    assert body["title"]
    assert body["errorMessage"] == body["errorDetails"] == body["report"]["detailed-message"]
    assert body["report"]["request-id"] == "request-1"
    assert all(f"a {name}" in body["errorMessage"] for name in gaps)


def test_a_resource_that_is_not_found_is_named_in_the_report() -> None:
    report = Problem("1439-404", type="flows", id="1f08").refused("r").body["report"]
    assert (report["type"], report["id"]) == ("flows", "1f08")
