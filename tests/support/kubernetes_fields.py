"""The fields of the Kubernetes objects in deploy/, from the API reference of Kubernetes 1.31.

`kubectl apply` ignores unknown fields, so a mistyped one is a setting that silently has no effect.
"""

from __future__ import annotations

from typing import Any

TEXT = "text"
NUMBER = "number"
FLAG = "flag"
MAP = "map"
# A quantity or a port may be a number or a text.
EITHER = "number or text"
Schema = str | dict[str, Any] | list[Any]

METADATA: Schema = {"name": TEXT, "namespace": TEXT, "labels": MAP, "annotations": MAP}
KEY_REFERENCE: Schema = {"name": TEXT, "key": TEXT, "optional": FLAG}
HTTP_GET: Schema = {
    "path": TEXT,
    "port": EITHER,
    "host": TEXT,
    "scheme": TEXT,
    "httpHeaders": [{"name": TEXT, "value": TEXT}],
}
PROBE: Schema = {
    "httpGet": HTTP_GET,
    "exec": {"command": [TEXT]},
    "tcpSocket": {"port": EITHER, "host": TEXT},
    "initialDelaySeconds": NUMBER,
    "timeoutSeconds": NUMBER,
    "periodSeconds": NUMBER,
    "successThreshold": NUMBER,
    "failureThreshold": NUMBER,
    "terminationGracePeriodSeconds": NUMBER,
}
SECCOMP: Schema = {"type": TEXT, "localhostProfile": TEXT}
CONTAINER: Schema = {
    "name": TEXT,
    "image": TEXT,
    "imagePullPolicy": TEXT,
    "command": [TEXT],
    "args": [TEXT],
    "workingDir": TEXT,
    "env": [
        {
            "name": TEXT,
            "value": TEXT,
            "valueFrom": {"secretKeyRef": KEY_REFERENCE, "configMapKeyRef": KEY_REFERENCE},
        }
    ],
    "ports": [
        {
            "name": TEXT,
            "containerPort": NUMBER,
            "protocol": TEXT,
            "hostPort": NUMBER,
            "hostIP": TEXT,
        }
    ],
    "securityContext": {
        "allowPrivilegeEscalation": FLAG,
        "privileged": FLAG,
        "readOnlyRootFilesystem": FLAG,
        "runAsNonRoot": FLAG,
        "runAsUser": NUMBER,
        "runAsGroup": NUMBER,
        "capabilities": {"add": [TEXT], "drop": [TEXT]},
        "seccompProfile": SECCOMP,
    },
    "resources": {"requests": MAP, "limits": MAP},
    "startupProbe": PROBE,
    "livenessProbe": PROBE,
    "readinessProbe": PROBE,
    "lifecycle": {"preStop": {"exec": {"command": [TEXT]}}},
    "volumeMounts": [
        {"name": TEXT, "mountPath": TEXT, "readOnly": FLAG, "subPath": TEXT, "subPathExpr": TEXT}
    ],
}
ITEMS: Schema = [{"key": TEXT, "path": TEXT, "mode": NUMBER}]
VOLUME: Schema = {
    "name": TEXT,
    "configMap": {"name": TEXT, "defaultMode": NUMBER, "optional": FLAG, "items": ITEMS},
    "secret": {"secretName": TEXT, "defaultMode": NUMBER, "optional": FLAG, "items": ITEMS},
    "persistentVolumeClaim": {"claimName": TEXT, "readOnly": FLAG},
    "emptyDir": {"sizeLimit": EITHER, "medium": TEXT},
}
POD: Schema = {
    "automountServiceAccountToken": FLAG,
    "enableServiceLinks": FLAG,
    "terminationGracePeriodSeconds": NUMBER,
    "serviceAccountName": TEXT,
    "imagePullSecrets": [{"name": TEXT}],
    "nodeSelector": MAP,
    "restartPolicy": TEXT,
    "securityContext": {
        "runAsNonRoot": FLAG,
        "runAsUser": NUMBER,
        "runAsGroup": NUMBER,
        "fsGroup": NUMBER,
        "fsGroupChangePolicy": TEXT,
        "seccompProfile": SECCOMP,
    },
    "containers": [CONTAINER],
    "initContainers": [CONTAINER],
    "volumes": [VOLUME],
}
SELECTOR: Schema = {"matchLabels": MAP}
OBJECTS: dict[str, dict[str, Schema]] = {
    "ConfigMap": {"data": MAP, "binaryData": MAP, "immutable": FLAG},
    "PersistentVolumeClaim": {
        "spec": {
            "accessModes": [TEXT],
            "storageClassName": TEXT,
            "volumeMode": TEXT,
            "resources": {"requests": MAP, "limits": MAP},
        }
    },
    "Service": {
        "spec": {
            "type": TEXT,
            "selector": MAP,
            "ports": [{"name": TEXT, "port": NUMBER, "targetPort": EITHER, "protocol": TEXT}],
        }
    },
    "Deployment": {
        "spec": {
            "replicas": NUMBER,
            "revisionHistoryLimit": NUMBER,
            "minReadySeconds": NUMBER,
            "progressDeadlineSeconds": NUMBER,
            "strategy": {
                "type": TEXT,
                "rollingUpdate": {"maxSurge": EITHER, "maxUnavailable": EITHER},
            },
            "selector": SELECTOR,
            "template": {"metadata": METADATA, "spec": POD},
        }
    },
}
_TYPES: dict[str, tuple[type, ...]] = {
    TEXT: (str,),
    NUMBER: (int,),
    FLAG: (bool,),
    EITHER: (int, str),
}


def problems(document: dict[str, Any]) -> list[str]:
    """Every field of an object that Kubernetes does not know, or that has a different type."""
    fields = OBJECTS.get(document.get("kind", ""))
    if fields is None:
        return [f"kind: {document.get('kind')} is not known here"]
    common = {"apiVersion": TEXT, "kind": TEXT, "metadata": METADATA}
    return _problems(document, {**common, **fields}, str(document["kind"]))


def _problems(value: Any, schema: Schema, place: str) -> list[str]:
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            return [f"{place}: not a table"]
        return [
            problem
            for name, inner in value.items()
            for problem in (
                _problems(inner, schema[name], f"{place}.{name}")
                if name in schema
                else [f"{place}.{name}: no such field"]
            )
        ]
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [f"{place}: not a list"]
        return [
            problem
            for number, inner in enumerate(value)
            for problem in _problems(inner, schema[0], f"{place}[{number}]")
        ]
    return _type_problems(value, schema, place)


def _type_problems(value: Any, schema: str, place: str) -> list[str]:
    if schema == MAP:
        is_map = isinstance(value, dict) and all(isinstance(key, str) for key in value)
        texts = is_map and all(isinstance(inner, str) for inner in value.values())
        return [] if texts else [f"{place}: not a table of texts"]
    is_right = isinstance(value, _TYPES[schema]) and (schema == FLAG) == isinstance(value, bool)
    return [] if is_right else [f"{place}: not a {schema}"]
