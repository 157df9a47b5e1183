"""Kubeconfigs and the certificates in them, for users of any name."""

from __future__ import annotations

import json

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from testbed import control_plane, kubeconfig
from testbed.certificates import Authority
from testbed.home import Home

from .api_server import described


@pytest.mark.filterwarnings("ignore:Attribute's length")
@pytest.mark.parametrize("name", ["a" * 65, "system:node:" + "n" * 63, "x" * 253, "Jürgen"])
def test_a_user_may_have_a_name_of_any_length(tmp_path, name):
    pair = Authority.create(tmp_path, "ca").issue(name, groups=[name])

    subject = x509.load_pem_x509_certificate(pair.certificate).subject
    assert [one.value for one in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [name]
    assert [one.value for one in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == [name]


def test_no_two_users_share_a_kubeconfig_and_none_has_a_components(tmp_path):
    home = Home.at(tmp_path / "home")
    state = described(home, port=1)
    users = ["a/b", "a_b", "a%2Fb", "a\nb", "..", "system:kube-scheduler"]

    paths = [kubeconfig.write(home, state, user=user) for user in users]
    own = control_plane.scheduler(home, state)[1].partition("=")[2]

    assert len({*map(str, paths), own}) == len(users) + 1
    assert {path.parent for path in paths} == {home.path / "kubeconfigs"}
    assert json.loads(paths[0].read_text())["users"][0]["name"] == "a/b"
