"""The clock, the host and the certificates under the world."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import threading
import urllib.request

import pytest
from aiohttp import web

from multicluster.simulator.clock import ManualClock, SystemClock
from multicluster.simulator.host import Host
from multicluster.simulator.tls import CertificateAuthority


def test_the_system_clock_is_aware_and_utc():
    assert SystemClock().now().utcoffset() == dt.timedelta(0)


def test_a_manual_clock_stands_still_until_advanced():
    clock = ManualClock()
    before = clock.now()

    clock.advance(86_400)

    assert clock.now() - before == dt.timedelta(days=1)


def test_a_day_passes_through_every_deadline_in_it(host):
    clock, moments = ManualClock(), []
    begin = clock.now()

    async def tick():
        for _ in range(24):
            await clock.sleep(3600)
            moments.append((clock.now() - begin).total_seconds() / 3600)

    task = asyncio.run_coroutine_threadsafe(tick(), host.loop)
    clock.wait_for_sleepers(1)
    clock.advance(86_400)
    task.result(5)

    assert moments == list(range(1, 25))


def test_sleepers_wake_in_the_order_of_their_deadlines(host):
    clock, order = ManualClock(), []

    async def sleep(seconds):
        await clock.sleep(seconds)
        order.append(seconds)

    tasks = [asyncio.run_coroutine_threadsafe(sleep(seconds), host.loop) for seconds in (3, 1, 2)]
    clock.wait_for_sleepers(3)
    clock.advance(5)
    for task in tasks:
        task.result(5)

    assert order == [1, 2, 3]
    assert clock.sleepers == 0


def test_a_sleep_that_was_cancelled_holds_nobody_up(host):
    clock = ManualClock()
    task = asyncio.run_coroutine_threadsafe(clock.sleep(1), host.loop)
    clock.wait_for_sleepers(1)
    task.cancel()

    clock.advance(2)

    assert clock.sleepers == 0


def test_a_host_runs_functions_and_coroutines_on_its_loop(host):
    async def where():
        return threading.current_thread().name

    assert host.call(where()) == host.run(lambda: threading.current_thread().name) != threading.current_thread().name


def test_a_host_hands_errors_to_the_caller(host):
    with pytest.raises(ZeroDivisionError):
        host.run(lambda: 1 / 0)


def test_a_host_does_not_wait_for_itself(host):
    async def inner():
        return 1

    def deadlock():
        with pytest.raises(RuntimeError, match="await the coroutine"):
            host.call(inner())
        return host.run(lambda: 2)

    assert host.run(deadlock) == 2


def test_a_stopped_host_serves_no_more():
    host = Host()
    port = host.serve(answer)
    assert fetch(f"http://127.0.0.1:{port}") == b"here"

    host.stop()
    host.stop()

    with pytest.raises(OSError, match="refused"):
        fetch(f"http://127.0.0.1:{port}")


async def answer(_request):
    return web.Response(text="here")


def fetch(url, context=None):
    with urllib.request.urlopen(url, timeout=5, context=context) as response:
        return response.read()


def test_a_certificate_satisfies_the_strictest_client(host):
    authority = CertificateAuthority("c")
    port = host.serve(answer, authority.server_context(["kubernetes.default"]))
    strict = ssl.create_default_context(cadata=authority.pem.decode())
    strict.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN

    for name in ("127.0.0.1", "localhost"):
        assert fetch(f"https://{name}:{port}", strict) == b"here"
    host.unserve(port)


def test_authorities_do_not_vouch_for_one_another(host):
    port = host.serve(answer, CertificateAuthority("c").server_context())
    other = ssl.create_default_context(cadata=CertificateAuthority("c").pem.decode())

    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(f"https://127.0.0.1:{port}", other)
    host.unserve(port)
