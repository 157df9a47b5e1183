"""The error tree: what leaves this package, as the page says that draws it."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

import multicluster
from multicluster import errors

CLASSES = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.MulticlusterError)]
DRAWN = {name: note.startswith("transient:") for name, note in re.findall(r"[├└]── (\w+Error) *(.*)", errors.__doc__)}


@pytest.mark.parametrize("one", CLASSES)
def test_every_error_pickles_with_its_text(one):
    copy = pickle.loads(pickle.dumps(one("cluster 'a' is gone")))

    assert (type(copy), str(copy), copy.args) == (one, "cluster 'a' is gone", ("cluster 'a' is gone",))


def test_the_page_draws_every_error_and_no_other():
    assert set(DRAWN) == {one.__name__ for one in CLASSES} - {"MulticlusterError"}


@pytest.mark.parametrize("one", [one for one in CLASSES if one is not errors.MulticlusterError])
def test_an_error_is_transient_exactly_where_the_page_says_so(one):
    assert one.transient is DRAWN[one.__name__]


@pytest.mark.parametrize("one", CLASSES)
def test_every_error_is_a_public_name_of_the_package(one):
    assert getattr(multicluster, one.__name__) is one
    assert one.__name__ in multicluster.__all__


@pytest.mark.parametrize("one", CLASSES)
def test_no_error_is_an_error_of_somebody_elses(one):
    assert one.__mro__[-4:] == (errors.MulticlusterError, Exception, BaseException, object)


@pytest.mark.parametrize("name", multicluster.__all__)
def test_every_public_name_is_there(name):
    assert getattr(multicluster, name).__name__ == name


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'multicluster' has no attribute 'nonsense'"):
        multicluster.nonsense  # noqa: B018
    assert set(multicluster.__all__) <= set(dir(multicluster))
