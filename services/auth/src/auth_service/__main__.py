"""`python -m auth_service serve | work | migrate | check-config | create-admin | rotate-keys`."""

from __future__ import annotations

import sys

from examkit.app import ServiceDefinition, main

from auth_service import commands
from auth_service.bootstrap import build
from auth_service.settings import Settings

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in commands.COMMANDS:
        sys.exit(commands.run(sys.argv[1:]))
    main(ServiceDefinition("auth", "auth_service", Settings, build))
