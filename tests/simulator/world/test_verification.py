"""What a real cluster's verifier is told of a world: who is who there is the same as on the simulator."""

from __future__ import annotations

import json
import ssl
import urllib.request

import pytest

from multicluster.simulator import Delays, World
from multicluster.simulator.aws.clusters import AccessEntry
from multicluster.simulator.verification import of_iam

ACCOUNT = "arn:aws:iam::111122223333"


@pytest.fixture
def world():
    with World(delays=Delays.none()) as made:
        yield made


def told(world: World, argument: str) -> dict:
    """Read the entries where the verifier reads them."""
    address = argument.removeprefix("-mapping=")
    context = ssl.create_default_context(cadata=world.ca.pem.decode())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(address, timeout=10) as answer:
        return json.load(answer)


def mapping_argument(world: World, label: str) -> str:
    [argument] = [one for one in world._judges.of_gke(label) if one.startswith("-mapping=")]
    return argument


def test_everybody_of_the_account_is_who_the_simulator_says(world):
    cluster = world.add_eks("gpu", system_nodes=0)
    world.aws.iam.add_role("late", path="/teams/ml/")
    world.aws.iam.add_role("foreign", "444455556666")

    found = of_iam(cluster, world.aws.iam)

    session = world.aws.iam.open_session(world.aws.iam.roles[f"{ACCOUNT}:role/teams/ml/late"], "me@x", 900).principal
    names = {one["rolearn"]: one["username"] for one in found["roles"]}
    assert names[f"{ACCOUNT}:role/late"].replace("{{SessionNameRaw}}", "me@x") == cluster.entry(session).username
    assert [one for one in names if "foreign" in one] == []
    user = world.aws.key.principal
    assert found["users"] == [
        {"userarn": user.arn, "username": cluster.entry(user).username, "groups": ["system:masters"]}
    ]


def test_an_access_entry_counts_at_once_and_before_the_rest(world):
    cluster = world.add_eks("gpu", system_nodes=0)
    argument = mapping_argument(world, "gpu")
    cluster.everyone_is_admin = False
    nobody = told(world, argument)
    cluster.access[f"{ACCOUNT}:role/ml"] = AccessEntry(username="ml:{{SessionName}}", groups=("runners",))

    assert nobody == {"roles": [], "users": []}
    assert told(world, argument)["roles"] == [
        {"rolearn": f"{ACCOUNT}:role/ml", "username": "ml:{{SessionName}}", "groups": ["runners"]}
    ]


def test_an_entry_of_a_role_with_a_path_replaces_what_everybody_is(world):
    cluster = world.add_eks("gpu", system_nodes=0)
    role = world.aws.iam.add_role("ml", path="/teams/").arn
    cluster.access[role] = AccessEntry(username="ml", groups=())

    rows = [one for one in of_iam(cluster, world.aws.iam)["roles"] if one["rolearn"].endswith("/ml")]

    assert rows == [{"rolearn": f"{ACCOUNT}:role/ml", "username": "ml", "groups": []}]


def test_google_gives_everybody_groups_or_nobody(world):
    cluster = world.add_gke("gpu", system_nodes=0)
    argument = mapping_argument(world, "gpu")
    before = told(world, argument)
    cluster.everyone_is_admin = False

    assert before == {"googleGroups": ["system:masters"]}
    assert told(world, argument) == {"googleGroups": []}


def test_in_a_cluster_that_is_not_there_nobody_is_anybody(world):
    assert told(world, mapping_argument(world, "none")) == {}
