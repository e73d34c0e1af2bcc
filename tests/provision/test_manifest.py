"""Is every mistake in a manifest told with its line and what to write instead?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.config.keys import all_keys
from agent.config.showing import shown
from agent.provision.manifest.loading import Written
from agent.provision.manifest.model import Manifest
from provision.conftest import ENVIRON, ORDERS, PLATFORM

Load = Callable[..., Written]
Report = Callable[..., list[str]]


def _with(old: str, new: str) -> str:
    assert old in ORDERS
    return ORDERS.replace(old, new)


def test_a_manifest_says_what_there_should_be(loaded: Load) -> None:
    manifest = loaded(ORDERS).manifest

    assert manifest.schema_.class_ == "https://ns.adobe.com/xdm/context/profile"
    assert manifest.schema_.field_groups == (
        "https://ns.adobe.com/xdm/context/profile-person-details",
    )
    assert manifest.dataset_name == "Orders"
    assert [line.kind for line in manifest.mapping] == ["ATTRIBUTE", "EXPRESSION"]
    assert manifest.flow.warm_up == 300


def test_secrets_are_in_no_text_that_a_manifest_is_shown_as(loaded: Load) -> None:
    manifest = loaded(ORDERS).manifest

    assert "geheim" not in f"{manifest!r} {shown(manifest)} {manifest}"


def test_dollars_in_a_mapping_are_the_languages_own(loaded: Load) -> None:
    manifest = loaded(_with("attribute: firstName", 'attribute: "${First Name}"')).manifest

    assert manifest.mapping[0].attribute == "${First Name}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "field_groups",
            "fieldgroups",
            "11: schema.fieldgroups: unknown key; did you mean field_gr",
        ),
        ("flow: {name: Orders}", "", "flow: missing; write keys below it: name, description, warm"),
        (
            "flow: {name: Orders}",
            "flow: {name: A, warm_up: 2h}",
            '17: flow.warm_up: found "2h"; write a duration from 0s to 1h',
        ),
        ("type: http", "type: ftp", '8: source.type: found "ftp"; write http or kinesis or'),
        ("to: person.name", "to: person..name", "15: mapping[0].to: found "),
        (
            "- {to: person.name.firstName, attribute: firstName}",
            "- {to: person.name.firstName}",
            "15: mapping[0].attribute: missing; write one of attribute, expression and constant",
        ),
        ("attribute: firstName}", "attribute: a, constant: b}", "15: mapping[0].constant: found"),
        ("_tenant.order.id, exp", "person.name.firstName, exp", "16: mapping[1].to: found"),
        ("path: order.id", "path: order..id", "13: schema.fields[0].path: found"),
        ("type: string}", "type: strng}", '13: schema.fields[0].type: found "strng"; write string'),
        ("type: string}", "type: string, minimum: 1}", "13: schema.fields[0].minimum: found"),
        (
            "type: string}",
            "type: integer, minimum: 10, maximum: 1}",
            '13: schema.fields[0].maximum: found "1"; write at least 10, the minimum',
        ),
        (
            "type: string}",
            'type: string, pattern: "^[A-Z+$"}',
            '13: schema.fields[0].pattern: found "^[A-Z+$"; write a regular expression; this is no',
        ),
        (
            "    - {path: order.id, type: string}",
            "    - {path: order, type: string}\n    - {path: order.id}",
            '14: schema.fields[1].path: found "order.id"; write another path: order is a field',
        ),
        (
            "    - {path: order.id, type: string}",
            "    - {path: order}\n    - {path: order}",
            '14: schema.fields[1].path: found "order"; write each path once',
        ),
        ("title: Orders", "id: https://ns.adobe.com/a/schemas/1", "schema.field_groups: found a"),
        ("title: Orders", "class: event", "schema.title: missing; write either a title"),
        (
            "title: Orders",
            "title: Orders\n  class: ${NO}",
            "schema.class: found ${NO}, which is not",
        ),
        ("title: Orders", "title: O\n  profile: true", '11: schema.profile: found "true"; write f'),
        ("mapping:", "dataset: {profile: true}\nmapping:", 'dataset.profile: found "true"; write'),
        ("mapping:", "dataset: {upsert: true}\nmapping:", 'dataset.upsert: found "true"; write'),
        ("type: http", "type: http, data_type: xdm", "14: mapping: found a list; write nothing"),
        (
            "flow: {",
            "agent: {settings: {sources: [{type: fle}]}}\nflow: {",
            "agent.settings.sources",
        ),
        (
            "flow: {",
            "agent: {settings: {inlet: {url: x}}}\nflow: {",
            "agent.settings.inlet.url: it",
        ),
        ("flow: {", "agent: {settings: {flows: {}}}\nflow: {", "agent.settings.flows: a manifest"),
    ],
)
def test_a_mistake_is_told_with_its_line(report: Report, old: str, new: str, expected: str) -> None:
    lines = report(_with(old, new))

    assert len(lines) == 1, lines
    assert expected in lines[0]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "person.name.firstName",
            "person.name.fristName",
            "15: mapping[0].to: Orders has no field p",
        ),
        (
            "_tenant.order.id, exp",
            "_tenant.order.no, exp",
            "16: mapping[1].to: Orders has no field _",
        ),
        ("concat(shop", "concat(shop(", "16: mapping[1].expression: "),
        ("concat(shop", "conkat(shop", "16: mapping[1].expression: "),
        (
            "'concat(shop, \":\", id)'",
            "'to_array(true, id)'",
            "16: mapping[1].to: the expression gives",
        ),
        ("attribute: firstName", "attribute: 'a..b'", "15: mapping[0].attribute: "),
        (
            "{path: order.id, type: string}",
            "{path: order.id, values: [open]}\n"
            "mapping:\n  - {to: _tenant.order.id, constant: shut}",
            "15: mapping[0].constant: 'shut' at _tenant.order.id: shut is not a valid enum value;",
        ),
        (
            "mapping:",
            "  identities: [{path: _tenant.order.nr, namespace: CRMID}]\nmapping:",
            "14: schema.identities[0].path: the schema has no field _tenant.order.nr",
        ),
        (
            "mapping:",
            "  identities: [{path: person.name.lastName, namespace: N, primary: true}]\nmapping:",
            "15: mapping: nothing maps to person.name.lastName, without which every record",
        ),
        ("title: Orders", "title: Orders\n  class: event", "mapping: nothing maps to timestamp"),
    ],
)
def test_a_mapping_that_cannot_fill_its_schema_is_told_before_anything_is_asked(
    report: Report, old: str, new: str, expected: str
) -> None:
    assert any(expected in line for line in report(_with(old, new))), report(_with(old, new))


def test_a_schema_of_components_that_are_not_known_here_is_left_to_the_platform(
    loaded: Load,
) -> None:
    text = _with("profile-person-details", "https://ns.adobe.com/acme/mixins/1")

    assert loaded(text).manifest.mapping


def test_every_mistake_is_told_at_once(report: Report) -> None:
    text = _with("title: Orders", "title: Orders\n  titl: O").replace(
        "type: string}", "type: strng}"
    )

    assert [line.split(":")[1] for line in report(text)] == ["11", "14"]


def test_a_cycle_is_told_and_not_followed(report: Report) -> None:
    text = _with("mapping:", "dataset: &again {name: *again}\nmapping:")

    assert report(text) == [
        "orders.yaml:14: dataset.name: found an alias `*` of what it lies in itself; write the"
        " value out"
    ]


def test_secrets_come_from_variables_and_files_only(report: Report) -> None:
    lines = report(_with("${AEP_CLIENT_SECRET}", "p8e-geheim"))

    assert len(lines) == 1
    assert lines[0].startswith("orders.yaml:6: platform.client_secret: found a value (not shown")
    assert "client_secret_file" in lines[0]
    assert "geheim" not in lines[0]


def test_missing_credentials_are_told_by_their_variable_and_nothing_besides(
    report: Report,
) -> None:
    lines = report(ORDERS, {"HOME": "/"})

    assert [line.split(":")[1] for line in lines] == ["4", "5", "6"]
    assert "found ${AEP_CLIENT_SECRET}, which is not set in the environment" in lines[2]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{type: kinesis, stream: s, region: r, access_key_id: '${AEP_CLIENT_ID}'}", "secret_key"),
        ("{type: eventhubs, namespace: n, event_hub: h, sas_key_name: k}", "sas_key"),
        ("{type: pubsub, topic: t, subscription: s}", "credentials"),
    ],
)
def test_each_connector_says_which_secret_it_misses(
    report: Report, source: str, expected: str
) -> None:
    lines = report(_with("{type: http}", source))

    assert len(lines) == 1
    assert f"source.{expected}_file: missing; write either {expected} or" in lines[0]


def test_a_file_that_holds_no_secret_is_told(report: Report, tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text("not JSON")
    source = f"{{type: pubsub, topic: t, subscription: s, credentials_file: {key}}}"

    lines = report(_with("{type: http}", source))

    assert len(lines) == 1
    assert "source.credentials_file: it does not hold the key of a service account" in lines[0]


def test_an_agent_has_nothing_to_do_for_sources_that_the_platform_fetches(
    report: Report, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("geheim")
    source = (
        f"{{type: eventhubs, namespace: n, event_hub: h, sas_key_name: k, sas_key_file: {key}}}"
    )
    text = _with("{type: http}", source) + "agent: {file: a.yaml}\n"

    assert "agent: found a mapping; write nothing here" in report(text)[0]


def test_a_file_that_is_not_there_is_told(report: Report, tmp_path: Path) -> None:
    text = ORDERS.replace(
        "client_secret: ${AEP_CLIENT_SECRET}", f"client_secret_file: {tmp_path}/x"
    )

    assert "platform.client_secret_file" in report(text)[0]


def test_what_is_referred_to_can_be_referred_to_again(loaded: Load) -> None:
    found = loaded(ORDERS)

    assert found.text_of("platform", "client_secret") == "${AEP_CLIENT_SECRET}"
    assert found.text_of("platform", "url") == "http://127.0.0.1:9"
    assert found.text_of("platform", "proxy") is None


def test_every_key_explains_itself() -> None:
    for key in all_keys(Manifest).values():
        assert key.description, key.path
        assert key.description.endswith("."), key.path


def test_a_manifest_needs_little(loaded: Load) -> None:
    source = "source: {type: http, data_type: xdm}"
    text = f"{PLATFORM}{source}\nschema: {{title: T}}\nflow: {{name: F}}\n"

    assert loaded(text, ENVIRON).manifest.mapping == ()
