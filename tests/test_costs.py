# SPDX-License-Identifier: MIT
"""What the hypervisor costs, counted in instructions (`-icount shift=0`: one is a nanosecond of guest time)."""
import concurrent.futures

import pytest

import measure

BOOTS = 2

# Instructions, at most; calls with the seven of the loop around them, accesses with three.
LIMITS = {
    "base": 60,
    "set_timer": 80,
    "ipi_self": 150,
    "fence_self": 150,
    "lsr": 360,
    "thr": 510,
    "timer_call": 450,
}


@pytest.mark.parametrize("mode", measure.MODES)
def test_short_calls_and_device_accesses_cost_no_more_than_stated(images, mode):
    costs = measure.in_capsule(images, mode, "calls")
    print({name: round(cost) for name, cost in costs.items()})
    assert costs["ipi_self_taken"] == 1, "each IPI is taken before the next is sent"
    assert {name: cost for name, cost in costs.items() if cost > LIMITS.get(name, cost)} == {}
    # Whatever it is, it takes the loop's instructions; but a timer that is the guest's own costs nothing.
    assert all(costs[name] >= 3 for name in LIMITS if name != "timer_call")


@pytest.mark.parametrize("mode", measure.MODES)
def test_a_small_guest_runs_soon_after_reset(images, mode):
    restart, reset = measure.restart(images, mode)
    print({"restart": restart, "reset": reset})
    assert 0 < restart < reset <= 7_000_000


@pytest.mark.alone
@pytest.mark.parametrize("mode", measure.MODES)
def test_a_kernel_in_a_capsule_is_as_fast_as_on_the_bare_board(images, mode):
    measure.user_space_image(images)  # packed once, before threads ask for it
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ours = [pool.submit(measure.user_space_capsule, images, mode) for _ in range(BOOTS)]
        theirs = [pool.submit(measure.user_space_bare, measure.CPUS[mode]) for _ in range(BOOTS)]
        ours, theirs = ([run.result() for run in runs] for runs in (ours, theirs))
    print(f"{mode}: {sorted(ours)} s in a capsule, {sorted(theirs)} s bare, "
          f"ratio of the best {min(ours) / min(theirs):.4f}")
    assert min(ours) <= 1.02 * min(theirs)


def test_the_text_is_at_most_128_kib():
    text = measure.sections()["text"]
    print(f"text: {text} bytes")
    assert 0 < text <= 128 * 1024
