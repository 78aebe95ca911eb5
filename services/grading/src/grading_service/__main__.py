"""`python -m grading_service serve | work | migrate | check-config`."""

from examkit.app import ServiceDefinition, main

from grading_service.bootstrap import build
from grading_service.settings import Settings

if __name__ == "__main__":
    main(ServiceDefinition("grading", "grading_service", Settings, build))
