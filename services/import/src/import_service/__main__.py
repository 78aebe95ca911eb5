"""`python -m import_service serve | work | migrate | check-config | queues`."""

from examkit.app import ServiceDefinition, main

from import_service.bootstrap import build
from import_service.consumers import QUEUE
from import_service.settings import Settings

if __name__ == "__main__":
    main(ServiceDefinition("import", "import_service", Settings, build, queues=(QUEUE,)))
