"""Which settings come from environment variables, and how do texts refer to them?"""

from collections.abc import Callable

import pytest

from agent.config import load
from agent.config.variables import UnknownVariable, expand

INLET = {"AEP_INLET_URL": "https://dcs.adobedc.net/collection/0123", "AEP_FLOW_ID": "f"}
ENVIRON = {"SET": "value", "EMPTY": "", "YAML": "{a: [1, 2]}", "NESTED": "${SET}"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("${SET}", "value"),
        ("a${SET}b${SET}c", "avaluebvaluec"),
        ("${EMPTY}", ""),
        ("${UNSET:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${SET:-default}", "value"),
        ("${UNSET:-}", ""),
        ("${UNSET:-a:-b c}", "a:-b c"),
        ("$$", "$"),
        ("$${SET}", "${SET}"),
        ("$$$${SET}", "$${SET}"),
        ("$SET costs 5$", "$SET costs 5$"),
        ("${NESTED}", "${SET}"),
        ("${YAML}", "{a: [1, 2]}"),
    ],
)
def test_variables_are_replaced_in_texts(text: str, expanded: str) -> None:
    assert expand(text, ENVIRON) == expanded


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A-b}", "${A:b}", "a ${A"])
def test_a_broken_reference_is_refused(text: str) -> None:
    with pytest.raises(UnknownVariable, match=r"write \$\{VAR\}, or \$\$ for a dollar"):
        expand(text, ENVIRON)


def test_a_missing_variable_is_reported_with_key_and_line(
    report: Callable[..., list[str]],
) -> None:
    assert report("inlet:\n  headers:\n    x-key: ${UNSET}\n") == [
        "config.yaml:3: inlet.headers.x-key: found ${UNSET}, which is not set in the environment; "
        "set it or write ${UNSET:-default}"
    ]


def test_a_missing_variable_is_reported_once_whatever_its_key(
    report: Callable[..., list[str]],
) -> None:
    text = "inlet:\n  envelope: {type: '${UNSET}'}\n  tls: ${UNSET}\nsources:\n  - ${UNSET}\n"
    assert [line.partition(": found")[0] for line in report(text)] == [
        "config.yaml:2: inlet.envelope.type",
        "config.yaml:3: inlet.tls",
        "config.yaml:5: sources[0]",
    ]


def test_a_missing_variable_does_not_matter_where_something_else_sets_the_key(
    configured: Callable[..., object],
) -> None:
    assert configured("inlet:\n  url: ${UNSET}\n") == configured("")


def test_a_variable_is_text_and_never_read_as_yaml(report: Callable[..., list[str]]) -> None:
    environ = {**INLET, "SOURCES": "[{type: stdin}]"}
    assert report("sources: ${SOURCES}\n", environ) == [
        'config.yaml:1: sources: found "[{type: stdin}]"; '
        "write a list, each item on its own line after a dash"
    ]


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("AEP_AGENT_DATA_DIR", "/data", lambda config: str(config.data_dir) == "/data"),
        ("AEP_AGENT_BATCH__MAX_WAIT", "2m", lambda config: config.batch.max_wait == 120.0),
        ("AEP_AGENT_BATCH__MAX_RECORDS", "7", lambda config: config.batch.max_records == 7),
        ("AEP_AGENT_INLET__TLS__VERIFY", "false", lambda config: config.inlet.tls.verify is False),
        ("AEP_AGENT_ADMIN__LISTEN", "null", lambda config: config.admin.listen is None),
        ("AEP_INLET_TOKEN", "abc", lambda config: config.inlet.token.reveal() == "abc"),
        ("AEP_AGENT_BATCH__MAX_WAIT", "", lambda config: config.batch.max_wait == 1.0),
    ],
)
def test_a_variable_sets_one_value(
    variable: str, value: str, read: Callable[[object], bool]
) -> None:
    assert read(load(None, environ={**INLET, variable: value}))


def test_the_long_name_wins_over_the_short_one() -> None:
    config = load(None, environ={**INLET, "AEP_AGENT_INLET__FLOW_ID": "long"})
    assert config.inlet.flow_id == "long"


def test_the_kind_of_envelope_can_be_set_by_variables() -> None:
    names = {"TYPE": "xdm", "SCHEMA_ID": "s", "DATASET_ID": "d"}
    variables = {f"AEP_AGENT_INLET__ENVELOPE__{name}": value for name, value in names.items()}
    assert load(None, environ=INLET | variables).inlet.envelope.type == "xdm"


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("AEP_AGENT_BATCH__MAX_WIAT", "; did you mean AEP_AGENT_BATCH__MAX_WAIT?"),
        ("AEP_AGENT_BATCH_MAX_WAIT", "; did you mean AEP_AGENT_BATCH__MAX_WAIT?"),
        ("AEP_AGENT_QQQQQQQQQQQQQQQQQQQ", ""),
    ],
)
def test_an_unknown_variable_is_a_warning_without_its_value(variable: str, hint: str) -> None:
    warnings = load(None, environ={**INLET, variable: "s3cret"}).warnings
    assert warnings == (f"environment {variable}: no such setting, so it is ignored{hint}",)


def test_sources_cannot_be_set_by_variables() -> None:
    warnings = load(None, environ={**INLET, "AEP_AGENT_SOURCES__PATHS": "/x"}).warnings
    assert warnings == (
        "environment AEP_AGENT_SOURCES__PATHS: ignored; sources are set in a file or by flags",
    )


def test_the_variables_of_a_kubernetes_service_are_no_settings() -> None:
    names = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_ADMIN", "PORT", "PORT_9600_TCP_ADDR")
    links = {f"AEP_AGENT_{name}": "tcp://10.0.0.1:9600" for name in names}
    assert load(None, environ=INLET | links).warnings == ()
