"""The console as operators see it in their browsers."""

import pytest
from django.test import Client

from igny8_core.auth.models import User


@pytest.fixture
def console(olga: User, client: Client) -> Client:
    """A browser in which olga, who has all permissions, is logged in to the console."""
    client.force_login(olga)
    return client
