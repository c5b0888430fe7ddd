import asyncio
import os
import threading

import pytest

from tuneway.api.background import Background


async def soon(value: int) -> int:
    await asyncio.sleep(0)
    return value


def test_one_thread_serves_all_callers() -> None:
    ours = Background()
    assert [ours.run(soon(n)) for n in range(3)] == [0, 1, 2]
    assert asyncio.run(ours.wait(soon(4))) == 4
    ours.end()
    ours.end()


def test_the_end_closes_what_is_open_and_ends_what_runs() -> None:
    ours, told, begun = Background(), list[str](), threading.Event()

    async def close() -> None:
        told.append("closed")

    async def hang() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            told.append("ended")

    ours.begin(hang)  # nothing runs yet, so nothing begins
    ours.run(soon(1))
    ours.at_end(close)
    ours.begin(hang)
    assert begun.wait(60)
    ours.end()
    assert told == ["ended", "closed"]
    assert ours.run(soon(2)) == 2
    ours.end()


def test_what_does_not_close_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuneway.api.background.ENDING_SECONDS", 0.2)
    ours = Background()
    ours.run(soon(1))

    async def hang() -> None:
        await asyncio.Event().wait()

    ours.at_end(hang)
    ours.end()
    assert not [thread for thread in threading.enumerate() if thread.name == "tuneway" and not thread.daemon]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_has_a_loop_of_its_own() -> None:
    ours = Background()
    ours.run(soon(1))
    child = os.fork()
    if child == 0:
        os._exit(ours.run(soon(7)))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    ours.end()
