"""The files for systemd, containers and Kubernetes: no root, nothing writable but data, no secrets
included.
"""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config import parse_settings
from bot.http.server import LOOPBACK
from tests.conftest import ROOT
from tests.support import kubernetes_fields
from tests.support.image_steps import Instruction, build_stage, copy_context, instructions

DEPLOY = ROOT / "deploy"
UNIT = (DEPLOY / "opswatch.service").read_text()
CHECK_UNIT = (DEPLOY / "opswatch-check.service").read_text()
UNITS = pytest.mark.parametrize("unit", ["opswatch.service", "opswatch-check.service"])
CONTAINERFILE = (DEPLOY / "Containerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
KUBERNETES: list[dict[str, Any]] = list(
    yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
)
SERVICE: dict[str, Any] = COMPOSE["services"]["opswatch"]
USER = 10001
needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"
)


def settings_in_unit(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)


def kind(name: str) -> dict[str, Any]:
    [found] = [document for document in KUBERNETES if document["kind"] == name]
    return found


POD: dict[str, Any] = kind("Deployment")["spec"]["template"]["spec"]
CONTAINER: dict[str, Any] = POD["containers"][0]


def stages() -> list[list[Instruction]]:
    found: list[list[Instruction]] = []
    for instruction in instructions(CONTAINERFILE):
        if instruction[0] == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


def scalars(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scalars(inner)
    else:
        yield str(value)


@needs_systemd
@UNITS
def test_unit_is_valid(unit: str) -> None:
    ran = subprocess.run(
        ["systemd-analyze", "verify", str(DEPLOY / unit)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


@needs_systemd
@UNITS
def test_unit_is_hardened(unit: str) -> None:
    command = [
        "systemd-analyze",
        "security",
        "--offline=true",
        "--threshold=20",
        str(DEPLOY / unit),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    level = re.search(rf"exposure level for {re.escape(unit)}: ([\d.]+)", ran.stdout)
    assert level and float(level[1]) <= 2.0, ran.stdout
    assert ran.returncode == 0


def test_unit_starts_reloads_and_is_watched() -> None:
    assert settings_in_unit("Type") == ["notify"]
    assert int(settings_in_unit("WatchdogSec")[0]) >= 30
    assert settings_in_unit("ExecReload") == ["/bin/kill -HUP $MAINPID"]
    assert settings_in_unit("Restart") == ["always"]
    assert settings_in_unit("User") == ["opswatch"]
    assert settings_in_unit("StateDirectory") == ["opswatch"]


def test_unit_reads_secrets_as_credentials() -> None:
    credentials = dict(line.split(":") for line in settings_in_unit("LoadCredential"))
    assert set(credentials) == {"slack-bot-token", "slack-app-token", "rapid7-api-key"}
    tokens = [line for line in settings_in_unit("Environment") if "TOKEN" in line]
    assert {token.split("=", 1)[1] for token in tokens} == {
        "file:%d/slack-bot-token",
        "file:%d/slack-app-token",
    }


def test_unit_hands_every_credential_over() -> None:
    credentials = {line.partition(":")[0] for line in settings_in_unit("LoadCredential")}
    given = [line.partition("=")[2] for line in settings_in_unit("Environment")]
    assert credentials == {path.removeprefix("file:%d/") for path in given if "%d" in path}


def test_check_runs_with_the_settings_of_the_unit() -> None:
    """The same user, secrets and limits; only what keeps a service running is left out."""
    lines = [line for line in UNIT.splitlines() if re.match(r"[A-Z]\w+=", line)]
    checked = [line for line in CHECK_UNIT.splitlines() if re.match(r"[A-Z]\w+=", line)]
    added = [line.partition("=")[0] for line in checked if line not in lines]
    assert added == ["Description", "Type", "ExecStart"]
    assert "Type=oneshot" in checked
    assert "ExecStart=/usr/bin/env opswatch check --config /etc/opswatch/bot.toml" in checked
    left_out = {line.partition("=")[0] for line in lines if line not in checked}
    assert left_out == {
        "Description", "Type", "ExecStart", "NotifyAccess", "ExecReload", "Restart", "RestartSec",
        "RestartPreventExitStatus", "TimeoutStopSec", "WatchdogSec", "WantedBy",
    }  # fmt: skip


def test_image_runs_without_root() -> None:
    last = stages()[-1]
    assert [words[1] for words in last if words[0] == "USER"] == [f"{USER}:{USER}"]
    user = next(number for number, words in enumerate(last) if words[0] == "USER")
    assert not [words for words in last[user:] if words[0] in ("RUN", "COPY", "ADD")]


def test_image_writes_data_and_tmp_only() -> None:
    [volumes] = [words[1] for words in stages()[-1] if words[0] == "VOLUME"]
    assert volumes == '["/data", "/tmp"]'


def test_image_installs_locked_versions() -> None:
    assert len(stages()) == 2
    base = re.search(r"^ARG BASE=(\S+)$", CONTAINERFILE, re.MULTILINE)
    assert base and re.fullmatch(r"\S+:\d+\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base[1])
    installs = re.findall(r"pip \S* ?\S* ?install (.*?)(?: \\|$)", CONTAINERFILE, re.MULTILINE)
    assert len(installs) == 3
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)


def test_image_reports_its_health() -> None:
    [check] = [words[1] for words in stages()[-1] if words[0] == "HEALTHCHECK"]
    assert "/healthz" in check
    assert f"http://{LOOPBACK}:8080" in check


def test_image_context_is_an_allow_list() -> None:
    lines = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert lines[0] == "*"
    for path in (*(line[1:] for line in lines if line.startswith("!")),):
        assert list(ROOT.glob(path)), path
    for name in (
        "bot",
        "handlers",
        "providers",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "bot.example.toml",
    ):
        assert f"!{name}" in lines


def test_builder_is_given_the_program_alone(tmp_path: Path) -> None:
    copy_context(tmp_path)
    given = {path.name for path in tmp_path.iterdir()}
    assert {"bot", "handlers", "providers", "deploy", "pyproject.toml"} <= given
    assert not given & {"tests", ".git", ".venv", "bot.toml", "bot.sqlite"}
    for name, rest in build_stage(CONTAINERFILE):
        if name == "COPY":
            assert all((tmp_path / source).exists() for source in rest.split()[:-1])


def test_image_locks_match_the_main_lock() -> None:
    every = set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    for name in ("requirements.lock", "build-requirements.lock"):
        text = (DEPLOY / name).read_text()
        pinned = set(re.findall(r"^(\S+==\S+)", text, re.MULTILINE))
        assert pinned
        assert pinned <= every
        assert "://" not in text
        assert text.count("--hash=sha256:") >= len(pinned)


def test_image_has_dependencies_without_dev_tools() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {
        re.split(r"[<>=\[;]", dependency)[0].strip() for dependency in project["dependencies"]
    }
    pinned = set(re.findall(r"^(\S+)==", (DEPLOY / "requirements.lock").read_text(), re.MULTILINE))
    assert wanted <= pinned
    assert not pinned & {"pytest", "ruff", "mypy", "playwright", "hatchling"}


def test_compose_limits_the_container() -> None:
    assert SERVICE["user"] == f"{USER}:{USER}"
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "network_mode", "ports", "pid", "devices"} & set(SERVICE)
    assert {volume["target"] for volume in SERVICE["volumes"] if not volume.get("read_only")} == {
        "/data",
        "/tmp",
    }
    assert "/healthz" in SERVICE["healthcheck"]["test"][-1]


def test_compose_names_what_exists() -> None:
    assert set(COMPOSE) == {"name", "services", "volumes", "secrets"}
    assert set(SERVICE["secrets"]) == set(COMPOSE["secrets"])
    named = {volume["source"] for volume in SERVICE["volumes"] if volume["type"] == "volume"}
    assert named == set(COMPOSE["volumes"])
    build = SERVICE["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Containerfile"
    for value in SERVICE["environment"].values():
        assert Path(value.removeprefix("file:/run/secrets/")).name in COMPOSE["secrets"]


def test_kubernetes_objects_are_complete() -> None:
    versions = {"ConfigMap": "v1", "PersistentVolumeClaim": "v1", "Deployment": "apps/v1"}
    assert {document["kind"]: document["apiVersion"] for document in KUBERNETES} == versions
    assert {document["metadata"]["name"] for document in KUBERNETES} == {"opswatch"}
    spec = kind("Deployment")["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()


def test_kubernetes_runs_a_single_replica() -> None:
    """The database is a file, so an old and a new replica must not overlap."""
    spec = kind("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert kind("PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_kubernetes_limits_the_container() -> None:
    pod = POD["securityContext"]
    assert (pod["runAsNonRoot"], pod["runAsUser"], pod["fsGroup"]) == (True, USER, USER)
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    container = CONTAINER["securityContext"]
    assert container["allowPrivilegeEscalation"] is False
    assert container["readOnlyRootFilesystem"] is True
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert POD["automountServiceAccountToken"] is False
    assert CONTAINER["resources"]["limits"]["memory"]
    assert {
        mount["mountPath"] for mount in CONTAINER["volumeMounts"] if not mount.get("readOnly")
    } == {"/data", "/tmp"}


def test_kubernetes_probes_health() -> None:
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    paths = {
        name: CONTAINER[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    for name in paths:
        assert ports[CONTAINER[f"{name}Probe"]["httpGet"]["port"]] == 8080


def test_kubernetes_mounts_what_is_defined() -> None:
    volumes = {volume["name"]: volume for volume in POD["volumes"]}
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == set(volumes)
    assert volumes["config"]["configMap"]["name"] == kind("ConfigMap")["metadata"]["name"]
    assert (
        volumes["data"]["persistentVolumeClaim"]["claimName"]
        == kind("PersistentVolumeClaim")["metadata"]["name"]
    )
    assert volumes["secrets"]["secret"]["defaultMode"] == 0o440


def test_kubernetes_configuration_is_valid(tmp_path: Path) -> None:
    """Its secrets are where the pod mounts them, its data is where the claim is, and its health
    endpoint is where the probes ask.
    """
    text = kind("ConfigMap")["data"]["bot.toml"]
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    (tmp_path / "rapid7-api-key").write_text("a-key")
    assert f"file:{mounts['secrets']}/rapid7-api-key" in text
    table = tomllib.loads(text.replace(mounts["secrets"], str(tmp_path)))
    settings = parse_settings(table, folder=tmp_path, environ={})
    assert isinstance(settings.database, Path)
    assert settings.database.is_relative_to(mounts["data"])
    assert settings.health and (settings.health.host, settings.health.port) == ("0.0.0.0", 8080)


@pytest.mark.parametrize(
    "name", ["opswatch.service", "Containerfile", "compose.yaml", "kubernetes.yaml"]
)
def test_no_secret_is_written_out(name: str) -> None:
    text = (DEPLOY / name).read_text()
    assert not re.search(r"xox[bp]-|xapp-|BEGIN [A-Z ]*PRIVATE", text)
    for value in re.findall(r"(?:TOKEN|SECRET|API_KEY|PASSWORD)\s*[:=]\s*(\S+)", text):
        assert value.startswith("file:"), value


def test_environment_holds_no_secret() -> None:
    values = [*scalars(SERVICE["environment"]), *(entry["value"] for entry in CONTAINER["env"])]
    assert values
    assert all(value.startswith("file:/run/secrets/") for value in values)


@pytest.mark.parametrize("document", KUBERNETES, ids=lambda document: document["kind"])
def test_kubernetes_knows_every_field(document: dict[str, Any]) -> None:
    assert kubernetes_fields.problems(document) == []


MISTAKES = {
    "a mistyped field": ("spec.template.spec.containers.0.securityContext.readOnlyRootFs", True),
    "a field in the wrong place": ("spec.replica", 1),
    "a number as a text": ("spec.replicas", "1"),
    "a flag as a text": ("spec.template.spec.enableServiceLinks", "no"),
    "an annotation that is no text": ("spec.template.metadata.annotations.x", 8080),
}


@pytest.mark.parametrize(("path", "value"), MISTAKES.values(), ids=MISTAKES.keys())
def test_kubernetes_mistake_is_found(path: str, value: Any) -> None:
    document = copy.deepcopy(kind("Deployment"))
    *above, name = path.split(".")
    table: Any = document
    for part in above:
        table = table[int(part)] if part.isdigit() else table[part]
    table[name] = value
    [problem] = kubernetes_fields.problems(document)
    assert name in problem
