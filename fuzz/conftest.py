"""The fuzzing run shares the suite's settings and builders."""

from tests.conftest import *  # noqa: F403
