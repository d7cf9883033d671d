"""What lies in deploy/kubernetes, after Kustomize: valid by Kubernetes' own schemas, closed, and of this program.

There is no cluster here, and no schema of KEDA's: of its object only what it names is checked.
"""

import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bus import lanes, subjects
from ringward.process import ORDER
from ringward.settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSIONS = ("1.30", "1.34")
RENDERED = [one for one in yaml.safe_load_all((FOLDER / "rendered.yaml").read_text()) if one]
WORKLOADS = {"Deployment", "StatefulSet", "Job", "CronJob"}


def of(kind: str) -> list[dict[str, Any]]:
    return [one for one in RENDERED if one["kind"] == kind]


def pod(workload: dict[str, Any]) -> dict[str, Any]:
    spec = workload["spec"]
    if workload["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec["template"]


PODS = [pytest.param(pod(one), id=one["metadata"]["name"]) for one in RENDERED if one["kind"] in WORKLOADS]


def test_rendered_file_is_what_kustomize_makes() -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        # It is in no registry that tests may ask; the sources are named in the file all the same.
        assert len(RENDERED) > 30
        return
    done = subprocess.run(
        [kubectl, "kustomize", FOLDER], check=True, capture_output=True, text=True, timeout=60
    )
    text = (FOLDER / "rendered.yaml").read_text()
    assert text.partition("\n\n")[2] == done.stdout, "run the command at the top of rendered.yaml"


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_is_valid_by_kubernetes_own_schemas(version: str) -> None:
    without = set()
    for one in RENDERED:
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            without.add(one["kind"])
    assert without == {"ScaledObject"}


def test_schema_refuses_a_field_that_nobody_knows() -> None:
    wrong = yaml.safe_load(yaml.safe_dump(of("Deployment")[0]))
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("pod", PODS)
def test_pod_is_closed(pod: dict[str, Any]) -> None:
    spec = pod["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
    assert spec["automountServiceAccountToken"] is False
    for container in [*spec["containers"], *spec["initContainers"]]:
        closed = container["securityContext"]
        assert closed["readOnlyRootFilesystem"] is True
        assert closed["allowPrivilegeEscalation"] is False
        assert closed["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        # No password stands in an environment, which every child inherits.
        assert "env" not in container


@pytest.mark.parametrize("pod", PODS)
def test_every_volume_that_is_mounted_is_there(pod: dict[str, Any]) -> None:
    spec = pod["spec"]
    there = {volume["name"] for volume in spec["volumes"]} | {"data"}
    for container in [*spec["containers"], *spec["initContainers"]]:
        assert {mount["name"] for mount in container["volumeMounts"]} <= there


def test_secrets_are_only_named() -> None:
    assert of("Secret") == []
    named = {
        volume["secret"]["secretName"]
        for one in RENDERED
        if one["kind"] in WORKLOADS
        for volume in pod(one)["spec"]["volumes"]
        if "secret" in volume
    }
    said = (FOLDER / "kustomization.yaml").read_text()
    assert named == {"ringward-secrets", "ringward-tls", "ringward-keys"}
    assert all(name in said for name in named)


def test_each_role_runs_with_probes_and_is_never_wholly_taken_away() -> None:
    roles = {one["metadata"]["name"]: one for one in [*of("Deployment"), *of("StatefulSet")]}
    assert set(roles) == set(ORDER)
    assert {one["metadata"]["name"] for one in of("PodDisruptionBudget")} == set(ORDER)
    for name, role in roles.items():
        (container,) = pod(role)["spec"]["containers"]
        assert container["args"] == ["run", name]
        assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "health"}
        assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "health"}


def test_ports_of_policies_and_services_are_ports_of_pods() -> None:
    names = {port["name"] for one in of("Deployment") for port in pod(one)["spec"]["containers"][0]["ports"]}
    used = {
        port["targetPort"] for one in of("Service") for port in one["spec"]["ports"] if "targetPort" in port
    }
    for policy in of("NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            used |= {port["port"] for port in rule.get("ports", [])}
    assert used == names


def test_nothing_is_let_through_by_default() -> None:
    (closed,) = (one for one in of("NetworkPolicy") if one["spec"]["podSelector"] == {})
    assert closed["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in closed["spec"]
    assert "egress" not in closed["spec"]


def test_recognition_is_scaled_by_consumers_that_exist() -> None:
    (scaled,) = of("ScaledObject")
    assert scaled["spec"]["scaleTargetRef"]["name"] in {one["metadata"]["name"] for one in of("Deployment")}
    asked = [trigger["metadata"] for trigger in scaled["spec"]["triggers"]]
    assert {one["consumer"] for one in asked} == {lane.durable for lane in lanes.RECOGNITION}
    assert {one["stream"] for one in asked} == {subjects.STREAM}


def test_settings_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ringward.toml").write_text((FOLDER / "ringward.toml").read_text())
    monkeypatch.chdir(tmp_path)
    assert Settings().nats_url == tomllib.loads((FOLDER / "ringward.toml").read_text())["nats_url"]
    known = {f"RINGWARD_{name.upper()}" for name in Settings.model_fields}
    (plain,) = (
        one
        for one in of("ConfigMap")
        if one["metadata"]["name"].startswith("ringward-") and "ringward.toml" not in one["data"]
    )
    assert set(plain["data"]) <= known
