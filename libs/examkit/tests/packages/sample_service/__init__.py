"""A service as small as can be, for the tests of migrations, outbox and consumers."""
