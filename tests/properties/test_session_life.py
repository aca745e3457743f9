"""The life of sessions against a model: whatever happens, in whatever order, some things always hold."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.properties.world import World, world_machine

# Enough to find in seconds what would be found at all, every time; more of them by an environment variable.
EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "20"))
PROFILE = settings(
    max_examples=EXAMPLES,
    stateful_step_count=50,
    deadline=None,
    print_blob=True,
    database=None,
    # The same sequences each time, so that a change is what makes a run fail; asked for more, new ones.
    derandomize="PROPERTY_EXAMPLES" not in os.environ,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_whatever_happens_sessions_live_and_end_as_the_model_says(world: World) -> None:
    run_state_machine_as_test(world_machine(world), settings=PROFILE)
