"""`python -m import_service serve | work | migrate | check-config`."""

from examkit.app import ServiceDefinition, main

from import_service.bootstrap import build
from import_service.settings import Settings

if __name__ == "__main__":
    main(ServiceDefinition("import", "import_service", Settings, build))
