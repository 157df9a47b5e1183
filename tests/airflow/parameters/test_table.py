"""Every parameter of the installed KubernetesPodOperator does on a named cluster what it says, in both modes."""

from __future__ import annotations

import inspect
from functools import partial

import pytest
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from pod_drive.in_behaviour import IN_BEHAVIOUR
from pod_drive.in_pod import IN_POD, holds

from airflow_multicluster.operators.refusals import ELSEWHERE

STOCK = {
    name
    for name, parameter in inspect.signature(KubernetesPodOperator.__init__).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY
}
REFUSED = {"config_file": "kubeconfig", "cluster_context": "prod", "in_cluster": True, "kubernetes_conn_id": "gpu"}


def test_pain_07_every_parameter_of_the_installed_operator_is_classified_once():
    assert sorted([*IN_POD, *IN_BEHAVIOUR, *REFUSED]) == sorted(STOCK)
    assert set(REFUSED) == set(ELSEWHERE)


@pytest.fixture
def given(name, tmp_path):
    case = dict(IN_POD[name].given)
    if "pod_template_file" in case:
        file = tmp_path / "template.yaml"
        file.write_text(case["pod_template_file"])
        case["pod_template_file"] = str(file)
    return case


@pytest.mark.parametrize("name", IN_POD)
def test_pain_07_a_parameter_stands_in_the_pod_and_the_pod_runs(drive, fit, place, given, name):
    ran = drive.run(fit(**place, **given))

    assert ran.error is None, ran.text
    assert holds(IN_POD[name].found(ran.pod), IN_POD[name].expected), IN_POD[name].found(ran.pod)


@pytest.mark.parametrize("name", IN_POD)
@pytest.mark.parametrize("deferrable", [False], indirect=True)
def test_without_the_parameter_its_effect_is_not_there(drive, fit, name):
    ran = drive.run(fit(cluster="gpu-use1"))

    try:
        found = IN_POD[name].found(ran.pod)
    except (AttributeError, IndexError):
        found = None
    assert not holds(found, IN_POD[name].expected)


@pytest.mark.parametrize("name", IN_BEHAVIOUR)
def test_pain_07_a_parameter_does_what_it_says(drive, fit, place, deferrable, name):
    assert IN_BEHAVIOUR[name](drive, partial(fit, **place), deferrable) is None


@pytest.mark.parametrize("name", REFUSED)
def test_what_contradicts_the_registry_is_refused_with_the_way_out(fit, place, name):
    with pytest.raises(ValueError, match=f"also gives {name}, here or in default_args.*{name}=None"):
        fit(**place, **{name: REFUSED[name]})
