"""Who is who in a testbed, and what its binaries are built from."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from testbed import bundle, verifier
from testbed.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    Authority.create(folder, "ca")
    return Authority.load(folder, "ca")


def test_a_client_is_a_user_in_groups_and_no_server(authority):
    pair = authority.issue("ann", groups=["dev", "ops"])
    certificate = x509.load_pem_x509_certificate(pair.certificate)

    def named(oid):
        return [one.value for one in certificate.subject.get_attributes_for_oid(oid)]

    assert named(NameOID.COMMON_NAME) == ["ann"]
    assert named(NameOID.ORGANIZATION_NAME) == ["dev", "ops"]
    certificate.verify_directly_issued_by(authority.certificate)
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)


def test_a_server_bears_its_names_and_addresses(authority):
    pair = authority.issue("kube-apiserver", names=["localhost", "127.0.0.1"])
    extensions = x509.load_pem_x509_certificate(pair.certificate).extensions

    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_keys_are_for_their_owner_only(authority, tmp_path):
    authority.issue("ann").write(tmp_path / "pki", "ann")

    assert (tmp_path / "pki" / "ann.key").stat().st_mode & 0o077 == 0


def test_the_version_is_pinned_once_and_told_to_what_answers_it():
    version = bundle.kubernetes_version()

    assert re.fullmatch(r"v1\.\d+\.\d+", version)
    assert f"-X k8s.io/component-base/version.gitVersion={version}" in bundle.linker_flags(version)


@pytest.mark.parametrize("changed", ["go.mod", "go.sum", "main.go"])
def test_a_change_of_what_is_built_is_built_anew(tmp_path, changed):
    source = tmp_path / "bundle"
    shutil.copytree(bundle.SOURCE, source)
    before = bundle.folder(tmp_path, source)

    with (source / changed).open("a") as file:
        file.write("// changed\n")

    assert bundle.folder(tmp_path, source) != before


def test_binaries_that_are_there_are_not_built_again(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "compile_into", lambda new: (new / bundle.BINARY).touch())
    first = bundle.build(tmp_path)
    monkeypatch.setattr(bundle, "compile_into", lambda _: pytest.fail("built twice"))

    assert bundle.build(tmp_path) == first
    assert bundle.built(tmp_path) == first


def test_a_build_that_was_killed_leaves_nothing_that_counts(tmp_path, monkeypatch):
    def killed(new):
        (new / bundle.BINARY).touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(bundle, "compile_into", killed)
    with pytest.raises(KeyboardInterrupt):
        bundle.build(tmp_path)

    assert bundle.built(tmp_path) is None


@pytest.mark.parametrize("release", verifier.RELEASES)
def test_a_verifier_that_is_there_is_not_built_again_and_a_half_built_one_is(tmp_path, monkeypatch, release):
    def killed(new, _release):
        new.touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(verifier, "compile_to", killed)
    with pytest.raises(KeyboardInterrupt):
        verifier.build(release, tmp_path)
    half = verifier.built(release, tmp_path)
    monkeypatch.setattr(verifier, "compile_to", lambda new, _: new.write_text("built"))
    first = verifier.build(release, tmp_path)
    monkeypatch.setattr(verifier, "compile_to", lambda *_: pytest.fail("built twice"))

    assert not half
    assert verifier.build(release, tmp_path) == first
    assert first.read_text() == "built"
    assert verifier.built(release, tmp_path)


@pytest.mark.parametrize(("changed", "same"), [("go.sum", False), ("eks.go", False), ("sts_test.go", True)])
def test_a_verifier_is_named_after_its_source_without_its_tests(tmp_path, changed, same):
    source = tmp_path / "verifier"
    shutil.copytree(verifier.SOURCE, source)
    before = verifier.program("v07", tmp_path, source)

    with (source / changed).open("a") as file:
        file.write("// changed\n")

    assert (verifier.program("v07", tmp_path, source) == before) == same


def test_both_releases_of_the_verifier_are_pinned():
    assert verifier.name("v07").startswith("aws-iam-authenticator v0.7.")
    assert verifier.name("v06").startswith("aws-iam-authenticator v0.6.")
    assert verifier.program("v07") != verifier.program("v06")


@pytest.mark.skipif(shutil.which("gofmt") is None, reason="Go is not installed")
def test_the_go_code_is_formatted():
    done = subprocess.run(
        ["gofmt", "-l", str(bundle.SOURCE), str(verifier.SOURCE)], capture_output=True, text=True, check=True
    )

    assert done.stdout == ""
