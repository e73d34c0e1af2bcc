"""Does each source get the bodies that Flow Service takes, with its secrets in them?"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.config.showing import shown
from agent.provision.manifest.model import Manifest
from agent.provision.objects.connections import SPECS, BaseConnection, SourceConnection
from provision.stage import ORDERS, Stage, staged

KEY = {"type": "service_account", "private_key": "geheim-key"}
SOURCES: Mapping[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "kinesis": (
        """{type: kinesis, stream: orders, region: eu-west-1, access_key_id: "${SECRET_ID}",
            secret_key: "${SECRET}"}""",
        {
            "specName": "Aws Kinesis authentication credentials",
            "params": {
                "accessKeyId": "AKIA-geheim",
                "secretKey": "geheim",
                "region": "eu-west-1",
            },
        },
        {"stream": "orders", "dataType": "raw", "reset": "latest"},
    ),
    "eventhubs": (
        """{type: eventhubs, namespace: acme, event_hub: orders, sas_key_name: reader,
            sas_key: "${SECRET}", data_type: raw, consumer_group: $$Default}""",
        {
            "specName": "Azure EventHub authentication credentials",
            "params": {"sasKeyName": "reader", "sasKey": "geheim", "namespace": "acme"},
        },
        {
            "eventHubName": "orders",
            "dataType": "raw",
            "reset": "earliest",
            "consumerGroup": "$Default",
        },
    ),
    "pubsub of a project": (
        "{type: pubsub, project: acme, topic: t, subscription: s, credentials: '${SECRET_JSON}'}",
        {
            "specName": "Project Based Authentication",
            "params": {"projectId": "acme", "credentials": json.dumps(KEY)},
        },
        {"topicName": "t", "subscriptionName": "s", "dataType": "raw"},
    ),
    "pubsub of a subscription": (
        "{type: pubsub, topic: t, subscription: s, credentials_file: KEY_FILE}",
        {
            "specName": "Topic & Subscription Based Authentication",
            "params": {
                "topicName": "t",
                "subscriptionName": "s",
                "credentials": json.dumps(KEY),
            },
        },
        {"topicName": "t", "subscriptionName": "s", "dataType": "raw"},
    ),
}


def _stage(stage: Stage, tmp_path: Path, name: str) -> Manifest:
    (tmp_path / "key.json").write_text(json.dumps(KEY))
    written = SOURCES[name][0].replace("KEY_FILE", str(tmp_path / "key.json"))
    stage.environ |= {
        "SECRET": "geheim",
        "SECRET_ID": "AKIA-geheim",
        "SECRET_JSON": json.dumps(KEY),
    }
    stage.write(ORDERS.replace("{type: http, authenticated: true}", written))
    return stage.written().manifest


@pytest.mark.parametrize("name", SOURCES)
async def test_the_bodies_are_as_documented(tmp_path: Path, name: str) -> None:
    _, auth, parameters = SOURCES[name]
    async with staged(tmp_path) as stage:
        manifest = _stage(stage, tmp_path, name)

    assert BaseConnection(manifest).auth() == auth
    assert SourceConnection(manifest).parameters() == parameters


@pytest.mark.parametrize("name", SOURCES)
async def test_a_flow_is_made_once_and_taken_away(tmp_path: Path, name: str) -> None:
    async with staged(tmp_path) as stage:
        _stage(stage, tmp_path, name)
        done = await stage.apply()

        assert done.config is None  # the platform fetches by itself
        assert (await stage.apply()).changed == 0
        async with stage.platform() as platform:
            base = await platform.flow.get("connections", stage.noted("base_connection"))
            assert base["connectionSpec"]["id"] == SPECS[name.split()[0]]
        await stage.destroy()
        assert await stage.objects() == {"mappingSets": 1}
        for path in (stage.path, tmp_path / "orders.state.json"):
            assert "geheim" not in path.read_text()
        assert "geheim" not in "\n".join(stage.told)


@pytest.mark.parametrize("name", SOURCES)
async def test_nothing_that_is_shown_holds_a_secret(tmp_path: Path, name: str) -> None:
    async with staged(tmp_path) as stage:
        manifest = _stage(stage, tmp_path, name)
        told = f"{await stage.plan()!r} {manifest!r} {shown(manifest)}"

    assert "geheim" not in told
