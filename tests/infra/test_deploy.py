"""infra/deploy, checked by its own tools as far as nothing has to run for it, and against the code."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from infra.settings import Settings
from infra.tokens import private_key

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "infra/deploy"
KUBERNETES = DEPLOY / "kubernetes"
FOLDERS = ("settings", "migration", "production")
BIN = Path(sys.executable).parent
OURS = {"api": 8000, "collab": 8001, "flows": 8002, "worker": None}


def run(*command: str | Path, **variables: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | variables, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def resources(folder: str) -> list[dict[str, Any]]:
    """What a Kustomization is made of."""
    found: list[dict[str, Any]] = []
    for name in yaml.safe_load((KUBERNETES / folder / "kustomization.yaml").read_text())["resources"]:
        if name.endswith(".yaml"):
            found += yaml.safe_load_all((KUBERNETES / folder / name).read_text())
        else:
            found += resources(os.path.normpath(f"{folder}/{name}"))
    return found


def compose() -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())
    return made


def pods(folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in resources(folder):
        if resource["kind"] in ("Deployment", "Job"):
            yield resource["metadata"]["name"], resource["spec"]["template"]


def test_the_dockerfile_is_well_written_and_locked() -> None:
    run(BIN / "hadolint", DEPLOY / "Dockerfile")
    text = (DEPLOY / "Dockerfile").read_text()
    [uv] = re.findall(r"uv==([\d.]+)", text)
    assert f'UV = "uv=={uv}"' in (ROOT / "doxie").read_text(), "the same version makes both environments"
    assert "--frozen" in text
    assert text.rstrip().splitlines()[-4].startswith("VOLUME"), "nothing runs as root"
    assert "USER 10001:10001" in text
    copied = set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert copied == packages
    assert {f"!{name}" for name in packages} <= set((ROOT / ".dockerignore").read_text().splitlines())


def test_the_proxy_takes_its_configuration(tmp_path: Path) -> None:
    file = DEPLOY / "compose/Caddyfile"
    for domain in ("localhost", "doxie.example.com"):
        run(
            BIN / "caddy",
            "validate",
            "--config",
            file,
            "--adapter",
            "caddyfile",
            DOXIE_DOMAIN=domain,
            HOME=str(tmp_path),
        )
    adapted = run(BIN / "caddy", "adapt", "--config", file, "--adapter", "caddyfile", HOME=str(tmp_path))
    assert {'"dial":"api:8000"', '"dial":"collab:8001"'} <= set(re.findall(r'"dial":"[\w:]+"', adapted))


def test_what_kubernetes_is_told_is_what_it_knows(tmp_path: Path) -> None:
    whole = tmp_path / "whole.yaml"
    if kubectl := shutil.which("kubectl"):  # then as it will be applied
        whole.write_text("---\n".join(run(kubectl, "kustomize", KUBERNETES / folder) for folder in FOLDERS))
    else:
        whole.write_text(yaml.safe_dump_all([one for folder in FOLDERS for one in resources(folder)]))
    run(BIN / "kubernetes-validate", "--strict", "--quiet", whole)


def test_pods_run_what_there_is_without_rights_and_with_bounds() -> None:
    for name, template in [*pods("production"), *pods("migration")]:
        spec = template["spec"]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert not spec["automountServiceAccountToken"], name
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"], name
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert container["resources"]["limits"]["memory"], name
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
            module = container["args"][0]
            if module != "uvicorn":
                assert importlib.util.find_spec(module), f"{name} runs {module}"


def test_every_door_has_probes_a_service_and_time_to_drain() -> None:
    from collab.app import DRAIN_SECONDS, GOODBYE_SECONDS

    made = resources("production")
    services = {one["metadata"]["name"]: one["spec"] for one in made if one["kind"] == "Service"}
    budgets = {one["metadata"]["name"] for one in made if one["kind"] == "PodDisruptionBudget"}
    for name, template in pods("production"):
        [container] = template["spec"]["containers"]
        if (port := OURS.get(name)) is None:
            continue
        assert container["ports"] == [{"name": "http", "containerPort": port}]
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz", "a store that is down restarts nobody"
        assert services[name]["ports"][0]["port"] == port
        assert services[name]["selector"].items() <= template["metadata"]["labels"].items()
        assert name in budgets
        waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert template["spec"]["terminationGracePeriodSeconds"] > waits + max(DRAIN_SECONDS + GOODBYE_SECONDS, 10) + 5


def test_variables_are_settings_and_secrets_come_by_reference() -> None:
    known = {f"DOXIE_{name.upper()}" for name in Settings.model_fields}
    secret = {
        f"DOXIE_{name.upper()}" for name, field in Settings.model_fields.items() if "Secret" in str(field.annotation)
    }
    [given] = [one["data"] for one in resources("settings") if one["kind"] == "ConfigMap"]
    assert {name for name in given if name.startswith("DOXIE_")} <= known - secret
    assert not [one for folder in FOLDERS for one in resources(folder) if one["kind"] == "Secret"]
    for service in compose()["services"].values():
        for name, value in service.get("environment", {}).items():
            if name in secret and "URL" not in name:
                assert re.fullmatch(r"\$\{\w+:\?[^}]*\}", value), name
            if name.startswith("DOXIE_") and name != "DOXIE_DOMAIN":
                assert name in known, name


def test_compose_starts_things_in_an_order_there_is() -> None:
    services = compose()["services"]
    for name, service in services.items():
        for other, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for {other}"
            else:
                assert services[other]["restart"] == "no", f"{name} waits for the end of {other}"
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert sorted(published) == ["127.0.0.1:4200:4200", "443:443", "443:443/udp", "80:80"]


def test_new_secrets_are_ones_that_work() -> None:
    lines = run(sys.executable, DEPLOY / "compose/make_env.py").splitlines()
    made = dict(line.split("=", 1) for line in lines)
    wanted = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose/compose.yaml").read_text()))
    assert made.keys() == wanted
    settings = Settings(signing_key=made["DOXIE_SIGNING_KEY"].strip("'"))
    assert private_key(settings).sign(b"x")
