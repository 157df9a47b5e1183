from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from multicluster.errors import CredentialError


def test_a_token_is_used_until_it_expires(tokens, clock):
    first = tokens.token()
    clock.move(599)
    second = tokens.token()
    clock.move(1)
    third = tokens.token()

    assert [first.value, second.value, third.value] == ["token-1", "token-1", "token-2"]


def test_pain_01_fifty_threads_at_expiry_mint_once(tokens, source, clock):
    tokens.token()
    clock.move(3600)
    together = threading.Barrier(50)

    def ask(_):
        together.wait(10)
        return tokens.token().value

    with ThreadPoolExecutor(50) as pool:
        seen = set(pool.map(ask, range(50)))

    assert (seen, source.mints, tokens.minted) == ({"token-2"}, 2, 2)


def test_a_failed_mint_fails_those_who_wait_once(tokens, source):
    attempts, waiting = [], threading.Barrier(11)
    failing = threading.Event()

    def fail():
        attempts.append(1)
        failing.wait(10)
        raise CredentialError("no role")

    source.before_mint = fail

    def ask(_):
        waiting.wait(10)
        with pytest.raises(CredentialError, match="no role"):
            tokens.token()

    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(ask, i) for i in range(10)]
        waiting.wait(10)
        failing.set()
        for one in asked:
            one.result(10)
    first_round = len(attempts)
    source.before_mint = lambda: None

    assert tokens.token().value == "token-1"
    assert first_round <= 10


def test_drop_forgets_only_the_token_it_is_given(tokens, clock):
    first = tokens.token()
    tokens.drop(first)
    second = tokens.token()
    tokens.drop(first)

    assert (second.value, tokens.token().value) == ("token-2", "token-2")


def test_minting_leaves_the_event_loop_free(tokens, source):
    async def run():
        loop = asyncio.get_running_loop()
        on_loop = asyncio.Event()
        released = threading.Event()
        source.before_mint = lambda: released.wait(10)
        minting = asyncio.create_task(tokens.token_async())
        loop.call_soon(on_loop.set)
        await asyncio.wait_for(on_loop.wait(), 10)
        released.set()
        return (await minting).value

    assert asyncio.run(run()) == "token-1"


def test_a_child_forked_while_a_token_is_minted_does_not_wait_for_it(tokens, source):
    minting, release = threading.Event(), threading.Event()

    def slow():
        minting.set()
        release.wait(10)

    source.before_mint = slow
    parent = threading.Thread(target=tokens.token)
    parent.start()
    minting.wait(10)
    child = os.fork()
    if child == 0:
        source.before_mint = lambda: None
        os._exit(0 if tokens.token().value == "token-1" else 1)
    _, status = os.waitpid(child, 0)
    release.set()
    parent.join(10)

    assert status == 0


def test_pain_36_a_token_is_secret_in_every_representation(tokens):
    assert "token-1" not in repr(tokens.token())
