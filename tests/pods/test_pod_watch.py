"""The laws of the shared watch, with real clients against a simulated API server."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from multicluster.errors import ClusterUnreachableError, CredentialError
from multicluster.simulator.faults import Drop, Fault, Hang, HttpError


def strike(stage, operation, effect, times=1):
    stage.faults.add(Fault(name=operation, effect=effect, operation=operation, service="kubernetes", times=times))


def test_pain_23_many_waiters_share_one_list_and_one_watch_on_two_connections(stage, kit):
    names = [f"fit-{number}" for number in range(150)]
    stage.add(*names)

    async def main():
        async with stage.watching() as scene, AsyncExitStack() as stack:
            pods = [await stack.enter_async_context(scene.watch.waiting_for(name)) for name in names]
            phases = await asyncio.gather(*map(kit.phase_of, pods))
            await kit.until(lambda: "watch" in stage.requests())
            return phases, scene.relay.peak

    phases, connections = asyncio.run(main())
    assert phases == ["Pending"] * 150
    assert stage.requests() == {"list": 2, "watch": 1}  # two pages of a list
    assert connections <= 2


def test_a_change_is_told_without_another_request(stage, kit):
    stage.add("fit")

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            stage.phase("fit", "Running")
            await kit.becomes(pod, "Running")
            stage.phase("fit", "Succeeded")
            await kit.becomes(pod, "Succeeded")

    asyncio.run(main())
    assert stage.requests() == {"list": 1, "watch": 1}


def test_without_news_a_wait_ends_after_its_time(stage, kit):
    stage.add("fit")

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            before = await pod.read()
            await pod.news(within=0.01, interval=60)
            return before, await pod.read()

    before, after = asyncio.run(main())
    assert before == after


def test_a_pod_that_was_there_before_its_waiter_costs_one_get(stage, kit):
    stage.add("fit", "early")

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            stage.phase("early", "Running")
            async with scene.watch.waiting_for("early") as early:
                found = await kit.phase_of(early)
                stage.phase("early", "Failed")
                await kit.becomes(early, "Failed")
            return found

    assert asyncio.run(main()) == "Running"
    assert stage.requests() == {"list": 1, "watch": 1, "get": 1}


def test_many_late_waiters_cost_one_list_instead_of_many_gets(stage, kit):
    names = [f"fit-{number}" for number in range(30)]
    stage.add("first", *names)

    async def main():
        async with stage.watching() as scene, AsyncExitStack() as stack:
            first = await stack.enter_async_context(scene.watch.waiting_for("first"))
            await kit.phase_of(first)
            pods = [await stack.enter_async_context(scene.watch.waiting_for(name)) for name in names]
            return await asyncio.gather(*map(kit.phase_of, pods)), scene.relay.peak

    phases, connections = asyncio.run(main())
    assert phases == ["Pending"] * 30
    assert stage.requests() == {"list": 2, "watch": 1}
    assert connections <= 2


def test_a_pod_made_after_its_waiter_came_is_found(stage, kit):
    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("late") as pod:
            before = await kit.phase_of(pod)
            stage.add("late")
            await kit.becomes(pod, "Pending")
            return before

    assert asyncio.run(main()) is None


def test_a_deleted_pod_is_gone(stage, kit):
    stage.add("fit")

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            stage.delete("fit")
            await kit.becomes(pod, None)

    asyncio.run(main())
    assert stage.requests()["get"] == 1  # to be sure


@pytest.mark.parametrize("end", ["Succeeded", "Failed"])
def test_what_was_seen_of_an_end_outlives_the_pod(stage, kit, end):
    stage.add("fit")

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            stage.phase("fit", end)
            stage.delete("fit")
            await kit.becomes(pod, end)
            await scene.relay.refuse()
            stage.add("other")
            stage.kubernetes.forget_history()
            await scene.relay.start()
            await kit.until(lambda: stage.requests()["list"] == 2)
            return await kit.phase_of(pod)

    assert asyncio.run(main()) == end


def test_a_pod_without_the_labels_is_followed_by_its_own_requests(stage, kit):
    stage.add("odd", labels={"app": "odd"})

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("odd") as pod:
            await kit.phase_of(pod)
            stage.phase("odd", "Running")
            await kit.becomes(pod, "Running")

    asyncio.run(main())
    assert stage.requests()["get"] >= 2


def test_a_pod_that_loses_its_labels_is_not_called_gone(stage, kit):
    stage.add("fit")

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            stage.relabel("fit", {})
            await kit.until(lambda: not scene.watch._board._entries["fit"].settled)
            stage.phase("fit", "Running")
            await kit.becomes(pod, "Running")
            stage.phase("fit", "Succeeded")
            await kit.becomes(pod, "Succeeded")

    asyncio.run(main())


def test_a_closed_connection_goes_on_where_it_was(stage, kit):
    stage.add("fit")

    async def main():
        timing = replace(kit.QUICK, most_delay=0.001)  # any watch has lasted long enough to be well
        async with stage.watching(timing) as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            await kit.until(lambda: stage.requests().get("watch") == 1)
            scene.relay.cut()
            stage.phase("fit", "Running")
            await kit.becomes(pod, "Running")

    asyncio.run(main())
    assert stage.requests() == {"list": 1, "watch": 2}


def test_a_silent_connection_is_given_up(stage, kit):
    stage.add("fit")

    async def main():
        timing = replace(kit.QUICK, silence=0.3)
        async with stage.watching(timing) as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            await kit.until(lambda: stage.requests().get("watch") == 1)
            scene.relay.freeze()
            stage.phase("fit", "Running")
            await kit.becomes(pod, "Running")

    asyncio.run(main())
    assert stage.requests()["watch"] >= 2


def test_lost_history_is_made_good_by_a_list(stage, kit):
    stage.add("fit", "gone")

    async def main():
        async with (
            stage.watching() as scene,
            scene.watch.waiting_for("fit") as pod,
            scene.watch.waiting_for("gone") as gone,
        ):
            await asyncio.gather(kit.phase_of(pod), kit.phase_of(gone))
            await kit.until(lambda: stage.requests().get("watch") == 1)
            await scene.relay.refuse()
            stage.phase("fit", "Running")
            stage.delete("gone")
            stage.add("other")
            stage.kubernetes.forget_history()
            await scene.relay.start()
            await kit.becomes(pod, "Running")
            await kit.becomes(gone, None)

    asyncio.run(main())
    assert stage.requests()["list"] == 2


@pytest.mark.parametrize("code", [410, 500, 504])
def test_a_watch_that_is_answered_with_an_error_begins_anew(stage, kit, code):
    stage.add("fit")
    strike(stage, "watch pods", HttpError(code=code, reason="Expired", message="too old resource version"))

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            await kit.until(lambda: stage.requests().get("watch") == 2)
            stage.phase("fit", "Running")
            await kit.becomes(pod, "Running")

    asyncio.run(main())
    assert stage.requests() == {"list": 2, "watch": 2}


def test_pain_01_an_expired_token_is_replaced(stage, kit):
    stage.add("fit")
    unauthorized = HttpError(code=401, reason="Unauthorized", message="Unauthorized")
    strike(stage, "watch pods", unauthorized)

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            await kit.until(lambda: stage.requests().get("watch") == 2)
            stage.phase("fit", "Running")
            await kit.becomes(pod, "Running")
            return scene.source.mints

    assert asyncio.run(main()) == 2
    assert stage.requests()["list"] == 1


def test_an_api_server_that_is_down_for_a_while_is_waited_for(stage, kit, caplog):
    caplog.set_level("INFO", "multicluster.pods")
    stage.add("fit")

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            await scene.relay.refuse()
            await kit.until(lambda: sum("asking again" in record.message for record in caplog.records) > 3)
            during = await kit.phase_of(pod)
            stage.phase("fit", "Succeeded")
            await scene.relay.start()
            await kit.becomes(pod, "Succeeded")
            return during

    assert asyncio.run(main()) == "Pending"


def test_a_cluster_that_stays_away_fails_its_waiters_by_name_and_no_others(stage, another, kit):
    stage.add("fit")
    another.add("fit")
    timing = replace(kit.QUICK, give_up=0.4)

    async def follow(pod):
        while True:
            await pod.read()
            await pod.news(within=30, interval=30)

    async def failure(pod):
        with pytest.raises(ClusterUnreachableError) as caught:
            await follow(pod)
        return str(caught.value)

    async def main():
        async with (
            stage.watching(timing) as scene,
            another.watching(timing) as elsewhere,
            scene.watch.waiting_for("fit") as pod,
            scene.watch.waiting_for("never-seen") as late,
            elsewhere.watch.waiting_for("fit") as well,
        ):
            await asyncio.gather(kit.phase_of(pod), kit.phase_of(well))
            await scene.relay.refuse()
            texts = await asyncio.wait_for(asyncio.gather(failure(pod), failure(late)), 10)
            another.phase("fit", "Succeeded")
            await kit.becomes(well, "Succeeded")
            return texts, list(scene.ends), list(elsewhere.ends)

    texts, ends, ends_elsewhere = asyncio.run(main())
    assert all(f"cluster '{stage.name}'" in text for text in texts)
    assert (ends, ends_elsewhere) == ([True], [])


def test_a_refused_identity_is_told_as_that(stage, kit):
    stage.add("fit")
    strike(stage, ".*", HttpError(code=401, reason="Unauthorized", message="Unauthorized"), times=None)

    async def main():
        async with stage.watching(replace(kit.QUICK, give_up=0.2)) as scene, scene.watch.waiting_for("fit") as pod:
            await pod.read()

    with pytest.raises(CredentialError, match=f"cluster '{stage.name}'"):
        asyncio.run(main())


@pytest.mark.parametrize("verb", ["list", "watch"])
def test_where_no_watch_is_allowed_pods_are_asked_for_one_by_one(stage, kit, verb, caplog):
    stage.add("fit", "other")
    strike(stage, f"{verb} pods", HttpError(code=403, reason="Forbidden", message=f"cannot {verb} pods"), times=None)

    async def main():
        async with (
            stage.watching() as scene,
            scene.watch.waiting_for("fit") as pod,
            scene.watch.waiting_for("other") as other,
        ):
            await asyncio.gather(kit.phase_of(pod), kit.phase_of(other))
            await kit.until(lambda: pod.forbidden)
            stage.phase("fit", "Running")
            await kit.becomes(pod, "Running")
            stage.phase("fit", "Succeeded")
            await kit.becomes(pod, "Succeeded")

    asyncio.run(main())
    assert sum(f"cannot {verb} pods" in record.message for record in caplog.records) == 1
    assert stage.requests()["get"] >= 2


def test_a_watch_that_is_allowed_later_is_used(stage, kit):
    stage.add("fit")
    strike(stage, "list pods", HttpError(code=403, reason="Forbidden", message="no"))

    async def main():
        timing = replace(kit.QUICK, forbidden=0.05)
        async with stage.watching(timing) as scene, scene.watch.waiting_for("fit") as pod:
            await kit.until(lambda: pod.forbidden)
            await kit.until(lambda: not pod.forbidden)
            await kit.phase_of(pod)
            asked = stage.requests().get("get", 0)
            stage.phase("fit", "Succeeded")
            await kit.becomes(pod, "Succeeded")
            return asked

    assert asyncio.run(main()) == stage.requests().get("get", 0)


def test_a_get_that_is_refused_for_good_is_the_clients_own_error(stage, kit):
    from kubernetes_asyncio.client.exceptions import ApiException

    strike(stage, "list pods|get pods", HttpError(code=403, reason="Forbidden", message="no"), times=None)

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            await pod.read()

    with pytest.raises(ApiException) as caught:
        asyncio.run(main())
    assert caught.value.status == 403


@pytest.mark.parametrize(
    "effect", [Drop(), HttpError(code=429, reason="TooManyRequests", headers={"Retry-After": "1"})]
)
def test_a_get_that_fails_is_asked_again(stage, kit, effect):
    stage.add("fit", "early")

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            strike(stage, "get pods", effect, times=2 if isinstance(effect, Drop) else 1)
            async with scene.watch.waiting_for("early") as early:
                return await kit.phase_of(early)

    assert asyncio.run(main()) == "Pending"
    assert stage.requests()["get"] >= 2


def test_a_list_that_hangs_is_asked_again(stage, kit):
    stage.add("fit")
    strike(stage, "list pods", Hang())

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            return await kit.phase_of(pod)

    assert asyncio.run(main()) == "Pending"


def test_only_pods_that_somebody_waits_for_are_kept(stage, kit):
    stage.add("fit", *[f"other-{number}" for number in range(20)])

    async def main():
        async with stage.watching() as scene, scene.watch.waiting_for("fit") as pod:
            await kit.phase_of(pod)
            async with scene.watch.waiting_for("other-1") as other:
                await kit.phase_of(other)
                both = len(scene.watch._board)
            stage.phase("other-1", "Running")
            stage.phase("fit", "Running")
            await kit.becomes(pod, "Running")
            return both, len(scene.watch._board)

    assert asyncio.run(main()) == (2, 1)


def test_the_watch_ends_a_while_after_the_last_waiter(stage, kit):
    stage.add("fit")

    async def main():
        async with stage.watching() as scene:
            async with scene.watch.waiting_for("fit") as pod:
                await kit.phase_of(pod)
                await kit.until(lambda: stage.requests().get("watch") == 1)
            ended_at_once = list(scene.ends)
            async with scene.watch.waiting_for("fit") as pod:
                await kit.phase_of(pod)
                leaving = scene.watch._follower._task._timer
            await kit.until(lambda: scene.ends)
            return ended_at_once, leaving, [task for task in asyncio.all_tasks() if "_work" in repr(task)]

    assert asyncio.run(main()) == ([], None, [])
    assert stage.requests() == {"list": 1, "watch": 1, "get": 1}


def test_nothing_is_left_when_the_loop_ends_under_the_waiters(stage, kit, recwarn):
    stage.add("fit")

    async def main():
        async def wait(watch):
            async with watch.waiting_for("fit") as pod:
                await pod.read()
                started.set()
                await pod.news(within=60, interval=60)

        started = asyncio.Event()
        async with stage.watching() as scene:
            waiting = asyncio.create_task(wait(scene.watch))
            await asyncio.wait_for(started.wait(), 10)
        return waiting

    gc.collect()
    recwarn.clear()  # what other tests of this process left behind
    waiting = asyncio.run(main())
    gc.collect()
    assert waiting.cancelled()
    assert [str(warning.message) for warning in recwarn if issubclass(warning.category, ResourceWarning)] == []
