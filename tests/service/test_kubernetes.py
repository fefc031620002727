"""The manifests in examples/deploy/kubernetes agree with the program and with each other."""

import re
import shutil
from pathlib import Path

import pytest

from pdfingest.service.settings import Settings

from .deployment import CONTAINERS, DEPLOY, KUBERNETES, MANIFESTS, PATH, TEMPLATES, bash, yaml


def test_there_are_as_many_shards_as_completions() -> None:
    (job,) = [each for each in MANIFESTS if each["kind"] == "Job"]
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert f"auto/{job['spec']['completions']}" in container["args"]


def test_the_scaler_follows_the_queue_of_the_workers() -> None:
    queue = pytest.importorskip("pdfingest.service.queue", exc_type=ImportError)
    (scaled,) = [each for each in MANIFESTS if each["kind"] == "ScaledObject"]
    (trigger,) = scaled["spec"]["triggers"]
    names = {each["metadata"]["name"] for each in MANIFESTS if each["kind"] == "Deployment"}
    assert scaled["spec"]["scaleTargetRef"]["name"] in names
    wanted = queue.make_app(Settings()).conf.task_default_queue
    assert trigger["metadata"]["listName"] == wanted


@pytest.mark.skipif(
    shutil.which("kubernetes-validate", path=PATH) is None, reason="needs kubernetes-validate"
)
def test_the_manifests_keep_to_the_schema(tmp_path: Path) -> None:
    foreign = ("keda.sh", "kustomize.config.k8s.io")
    known = [each for each in MANIFESTS if not each["apiVersion"].startswith(foreign)]
    (tmp_path / "known.yaml").write_text(yaml.safe_dump_all(known))
    bash("kubernetes-validate --strict known.yaml", tmp_path)


def test_the_kustomization_names_all_that_every_cluster_knows() -> None:
    (kustomization,) = [each for each in MANIFESTS if each["kind"] == "Kustomization"]
    apart = {"kustomization.yaml", "batch.yaml", "keda.yaml"}
    assert set(kustomization["resources"]) == {path.name for path in KUBERNETES} - apart
    (image,) = kustomization["images"]
    used = {each["image"] for each in CONTAINERS}
    assert used == {f"{image['name']}:{image['newTag']}"}


def test_each_pod_is_one_that_a_policy_is_for() -> None:
    selected = [
        each["spec"]["podSelector"]["matchLabels"]
        for each in MANIFESTS
        if each["kind"] == "NetworkPolicy"
    ]
    labels = [each["metadata"]["labels"] for each in TEMPLATES]
    batch = "app.kubernetes.io/component", "batch"
    assert all(each in selected for each in labels if batch not in each.items())
    assert all(each in labels for each in selected)


def test_the_parts_take_from_the_secret_what_the_readme_puts_there() -> None:
    readme = (DEPLOY / "README.md").read_text()
    (command,) = re.findall(r"^kubectl create secret .*?[^\\]$", readme, re.DOTALL | re.MULTILINE)
    put = set(re.findall(r"--from-(?:file|literal)=([\w-]+)=", command))
    text = "".join(path.read_text() for path in KUBERNETES)
    taken = set(re.findall(r"name: pdfingest, key: ([\w-]+)", text))
    taken |= set(re.findall(r"items: \[\{key: ([\w-]+)", text))
    assert taken == put


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
def test_the_kustomization_can_be_built() -> None:
    built = list(yaml.safe_load_all(bash("kubectl kustomize kubernetes", DEPLOY)))
    assert {"Service", "StatefulSet", "Deployment", "NetworkPolicy", "PersistentVolumeClaim"} == {
        each["kind"] for each in built
    }
