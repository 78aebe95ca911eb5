"""The fixtures of examkit for every test in the workspace."""

pytest_plugins = ["examkit.testing.plugin"]
