"""What tests of every service need: private nodes, fresh databases, certificates, and a check for drift."""

from examkit.testing.databases import DatabaseMaker, TestDatabase
from examkit.testing.drift import schema_drift
from examkit.testing.time import FakeClock
from examkit.testing.waiting import eventually

__all__ = ["DatabaseMaker", "FakeClock", "TestDatabase", "eventually", "schema_drift"]
