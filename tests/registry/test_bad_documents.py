"""Every bad document in ``bad/`` is refused with exactly the message that stands beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from multicluster import RegistryDocumentError, load_registry

BAD = Path(__file__).parent / "bad"
MESSAGES = sorted(BAD.glob("*.txt"))


def refusal_of(message: Path) -> str:
    document = message.with_suffix(".yaml")
    path = document if document.exists() else message.with_suffix("")
    with pytest.raises(RegistryDocumentError) as caught:
        load_registry(path)
    return str(caught.value).replace(str(path), "{path}") + "\n"


def test_every_bad_document_has_its_message():
    documents = {path.stem for path in BAD.iterdir() if path.suffix != ".txt"}

    assert documents <= {path.stem for path in MESSAGES}
    assert len(MESSAGES) >= 30


@pytest.mark.parametrize("message", MESSAGES, ids=lambda path: path.stem)
def test_a_bad_document_is_refused_with_its_message(message):
    assert message.read_text() == refusal_of(message)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda path: path.stem)
def test_no_message_repeats_a_secret(message):
    assert "CANARY" not in refusal_of(message)
