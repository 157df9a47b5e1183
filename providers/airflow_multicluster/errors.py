"""Translate the core's errors for Airflow; nowhere else do the two trees meet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from multicluster.errors import CredentialError, MulticlusterError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import AirflowException


def to_airflow(error: MulticlusterError) -> AirflowException:
    """Return the Airflow exception for *error*: retries apply to transient ones, and to refused credentials.

    A refusal may be an outage of what verifies tokens (STS, the webhook): an API server says the same for both.
    """
    from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

    text = f"{type(error).__name__}: {error}"
    return (
        AirflowException(text) if error.transient or isinstance(error, CredentialError) else AirflowFailException(text)
    )


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Raise the Airflow exception in the place of each MulticlusterError that leaves the block."""
    try:
        yield
    except MulticlusterError as error:
        raise to_airflow(error) from error
