"""What the journeys share with the tests of the reference server: tus-js-client as a witness."""

from tests.server.tus_witnesses.conftest import modules, witness

__all__ = ["modules", "witness"]
