"""Namespaces that end while something still runs in them."""

from __future__ import annotations


def test_a_namespace_waits_for_its_pods_and_takes_no_new_content(api, cluster):
    api("POST", "/api/v1/namespaces", {"metadata": {"name": "n"}})
    container = {
        "name": "base",
        "image": "busybox",
        "command": ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"],
    }
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}
    api("POST", "/api/v1/namespaces/n/pods", pod)
    cluster.wait_until("pods", lambda pods: pods[0]["status"]["phase"] == "Running")

    deleted = api("DELETE", "/api/v1/namespaces/n")[1]
    code, status = api("POST", "/api/v1/namespaces/n/configmaps", {"metadata": {"name": "m"}})

    assert deleted["status"]["phase"] == "Terminating"
    assert (code, status["reason"]) == (403, "Forbidden")
    assert "because it is being terminated" in status["message"]
    cluster.wait_until("namespaces", lambda found: "n" not in [item["metadata"]["name"] for item in found])
