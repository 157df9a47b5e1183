"""Kubeconfigs and the certificates in them, for users of any name."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from testbed.certificates import Authority


@pytest.mark.filterwarnings("ignore:Attribute's length")
@pytest.mark.parametrize("name", ["a" * 65, "system:node:" + "n" * 63, "x" * 253, "Jürgen"])
def test_a_user_may_have_a_name_of_any_length(tmp_path, name):
    pair = Authority.create(tmp_path, "ca").issue(name, groups=[name])

    subject = x509.load_pem_x509_certificate(pair.certificate).subject
    assert [one.value for one in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [name]
    assert [one.value for one in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == [name]
