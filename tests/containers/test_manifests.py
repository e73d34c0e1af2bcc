"""Would Kubernetes take the manifests, and do they agree with themselves and with the agent?"""

import json
import shutil
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from agent import __version__
from agent.config import load
from agent.config.model import Config
from containers.manifests import KUBERNETES, OVERLAYS, Manifest, Rendered, rendered
from support.agent import aep_agent

OLDEST, NEWEST = "1.29", "1.37"  # native sidecars are on from 1.29; the newest that is known
MIB = 1024 * 1024


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> Rendered:
    return rendered(request.param)


@pytest.fixture
def config(overlay: Rendered, tmp_path: Path) -> Config:
    """What the agent makes of the file in the ConfigMap and the variables of the Secret."""
    file = tmp_path / "aep-agent.yaml"
    file.write_text(_with_secrets_in(tmp_path, overlay.agent_file()))
    return load(file, environ=overlay.agent_environment())


def _with_secrets_in(folder: Path, text: str) -> str:
    for name in ("admin_token", "push_token"):
        (folder / name).write_text("p8e-0123456789abcdef0123456789abcdef\n")
    return text.replace("/run/secrets/aep", str(folder))


def test_there_is_an_overlay_for_each_way_to_run_it() -> None:
    assert OVERLAYS == ["daemonset", "deployment", "sidecar"]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_the_schemas_of_kubernetes_know_every_field(overlay: Rendered, version: str) -> None:
    for manifest in overlay.manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_a_field_that_is_misspelt_would_be_found(overlay: Rendered) -> None:
    overlay.agent()["securityContext"]["readOnlyRootFileSystem"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(overlay.workload(), NEWEST, strict=True)


def test_the_agent_finds_nothing_wrong_with_its_configuration(
    overlay: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in overlay.agent_environment().items():
        monkeypatch.setenv(name, text)
    file = tmp_path / "aep-agent.yaml"
    file.write_text(_with_secrets_in(tmp_path, overlay.agent_file()))
    checked = aep_agent("check", file, "--json")
    assert checked.code == 0, checked.stdout
    assert json.loads(checked.stdout)["warnings"] == []


def test_there_is_time_for_the_agent_to_stop_in(overlay: Rendered, config: Config) -> None:
    told_after = 30 if "initContainers" in overlay.pod() else 0  # the application's own time
    given = overlay.pod()["terminationGracePeriodSeconds"]
    assert given >= told_after + config.shutdown.grace + 5
    assert "lifecycle" not in overlay.agent()


def test_what_the_agent_keeps_has_room(overlay: Rendered, config: Config) -> None:
    """A Pod that exceeds the size of a volume is evicted, and an emptyDir goes with it."""
    buffer = config.buffer.max_bytes
    assert buffer
    most = buffer + config.dead_letters.max_bytes + config.receipts.max_bytes
    (volume,) = (each for each in overlay.pod()["volumes"] if each["name"] == "aep-data")
    if "hostPath" in volume:
        assert most <= 1536 * MIB
    else:
        size = volume.get("emptyDir", {}).get("sizeLimit") or _claimed(overlay)
        assert size.endswith("Gi")
        assert most <= 0.8 * int(size.removesuffix("Gi")) * 1024 * MIB  # pages and journal, too


def _claimed(overlay: Rendered) -> str:
    (claim,) = overlay.of("PersistentVolumeClaim")
    return str(claim["spec"]["resources"]["requests"]["storage"])


def test_probes_ask_routes_and_ports_that_there_are(overlay: Rendered, config: Config) -> None:
    agent = overlay.agent()
    ports = {each["name"]: each["containerPort"] for each in agent["ports"]}
    assert config.admin.listen == f"0.0.0.0:{ports['metrics']}"
    probes = {name: probe["httpGet"] for name, probe in agent.items() if name.endswith("Probe")}
    assert probes["startupProbe"] == probes["livenessProbe"] == _route("/livez")
    # of a sidecar it would be the application's
    ready = None if "initContainers" in overlay.pod() else _route("/readyz")
    assert probes.get("readinessProbe") == ready


def _route(path: str) -> Manifest:
    return {"path": path, "port": "metrics"}


def test_every_volume_that_is_mounted_is_there_and_every_one_there_is_mounted(
    overlay: Rendered,
) -> None:
    mounted = {each["name"] for one in overlay.containers() for each in one["volumeMounts"]}
    volumes = overlay.pod()["volumes"]
    assert mounted == {each["name"] for each in volumes}
    made = {each["metadata"]["name"] for each in overlay.of("ConfigMap")}
    assert {each["configMap"]["name"] for each in volumes if "configMap" in each} == made


def test_containers_have_no_rights_but_those_they_need(overlay: Rendered) -> None:
    is_node_agent = overlay.workload()["kind"] == "DaemonSet"
    for container in overlay.containers():
        rights = container["securityContext"]
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["seccompProfile"] == {"type": "RuntimeDefault"}
        assert (rights["runAsUser"] == 0) is is_node_agent
        assert rights.get("runAsNonRoot", False) is not is_node_agent
    mounts = {each["name"]: each for each in overlay.agent()["volumeMounts"]}
    written = {name for name, mount in mounts.items() if not mount.get("readOnly")}
    assert written <= {"aep-data", "aep-logs", "aep-socket"}
    assert overlay.pod()["automountServiceAccountToken"] is False


def test_memory_is_bounded_and_processors_are_not(overlay: Rendered) -> None:
    resources = overlay.agent()["resources"]
    assert set(resources["requests"]) >= {"cpu", "memory"}
    assert set(resources["limits"]) == {"memory"}


def test_the_image_has_the_version_of_this_checkout(overlay: Rendered) -> None:
    assert overlay.agent()["image"].rpartition(":")[2] == __version__


@pytest.mark.parametrize("name", ["daemonset", "deployment"])
def test_all_that_is_ours_is_labelled_with_its_name_and_version(name: str) -> None:
    overlay = rendered(name)
    wanted = {"app.kubernetes.io/name": "aep-agent", "app.kubernetes.io/version": __version__}
    for manifest in overlay.manifests:
        assert wanted.items() <= manifest["metadata"]["labels"].items()
    assert wanted.items() <= overlay.labels().items()


def test_a_sidecar_starts_before_its_application_and_ends_after_it() -> None:
    assert rendered("sidecar").agent()["restartPolicy"] == "Always"
    assert [each["name"] for each in rendered("sidecar").containers()] == ["aep-agent", "shop"]


@pytest.mark.parametrize("kind", ["StatefulSet", "Job", "Deployment"])
def test_the_sidecar_comes_to_whatever_is_labelled_for_it(kind: str, tmp_path: Path) -> None:
    tree = _copy(tmp_path)
    shop = tree / "overlays" / "sidecar" / "shop.yaml"
    shop.write_text(shop.read_text().replace("kind: Deployment", f"kind: {kind}"))
    (workload,) = rendered("sidecar", tree).of(kind)
    spec = workload["spec"]["template"]["spec"]
    assert [each["name"] for each in spec["initContainers"]] == ["aep-agent"]
    assert {"aep-data", "shop"} <= {each["name"] for each in spec["volumes"]}


def test_it_comes_to_nothing_else(tmp_path: Path) -> None:
    tree = _copy(tmp_path)
    shop = tree / "overlays" / "sidecar" / "shop.yaml"
    shop.write_text(shop.read_text().replace("aep-agent: sidecar", "other: label"))
    assert "initContainers" not in rendered("sidecar", tree).pod()


@pytest.mark.parametrize("name", OVERLAYS)
def test_prometheus_scrapes_the_agent_where_the_line_for_it_is_uncommented(
    name: str, tmp_path: Path
) -> None:
    tree = _copy(tmp_path)
    file = tree / "overlays" / name / "kustomization.yaml"
    file.write_text(
        file.read_text().replace(
            "# - ../../components/pod-monitor", "- ../../components/pod-monitor"
        )
    )
    overlay = rendered(name, tree)
    (monitor,) = overlay.of("PodMonitor")
    assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
    assert _selects(monitor["spec"]["selector"], overlay)
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in {each["name"] for each in overlay.agent()["ports"]}
    sent, (mount,) = endpoint["authorization"]["credentials"], _mounts_of_secrets(overlay)
    assert mount["secret"] == sent["name"]
    asked_for = yaml.safe_load(overlay.agent_file())["admin"]["token_file"]
    assert asked_for == f"{mount['mountPath']}/{sent['key']}"


def _mounts_of_secrets(overlay: Rendered) -> list[Manifest]:
    """Where the agent has which Secret."""
    secrets = {
        each["name"]: each["secret"]["secretName"]
        for each in overlay.pod()["volumes"]
        if "secret" in each
    }
    mounts = overlay.agent()["volumeMounts"]
    return [each | {"secret": secrets[each["name"]]} for each in mounts if each["name"] in secrets]


@pytest.mark.parametrize("name", OVERLAYS)
def test_policies_of_the_network_are_for_agents_in_pods_of_their_own(name: str) -> None:
    overlay = rendered(name)
    policies = overlay.of("NetworkPolicy")
    assert len(policies) == (0 if name == "sidecar" else 1)
    for policy in policies:
        assert _selects(policy["spec"]["podSelector"], overlay)
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]


def _selects(selector: Manifest, overlay: Rendered) -> bool:
    (wanted,) = selector["matchExpressions"]
    label = overlay.labels().get(wanted["key"])
    return label is not None if wanted["operator"] == "Exists" else label in wanted["values"]


def test_a_service_leads_to_where_records_are_pushed() -> None:
    overlay = rendered("deployment")
    (service,) = overlay.of("Service")
    assert service["spec"]["selector"].items() <= overlay.labels().items()
    (port,) = service["spec"]["ports"]
    assert port["targetPort"] in {each["name"] for each in overlay.agent()["ports"]}


def _copy(folder: Path) -> Path:
    return Path(shutil.copytree(KUBERNETES, folder / "kubernetes"))


def test_all_agents_are_run_and_asked_alike() -> None:
    """What is written three times is the same three times."""
    agents: list[dict[str, Any]] = [rendered(name).agent() for name in OVERLAYS]
    for key in ("args", "livenessProbe", "image"):
        assert [each[key] for each in agents] == [agents[0][key]] * len(agents)
