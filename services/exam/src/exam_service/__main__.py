"""`python -m exam_service serve | work | migrate | check-config`."""

from examkit.app import ServiceDefinition, main

from exam_service.bootstrap import build
from exam_service.settings import Settings

if __name__ == "__main__":
    main(ServiceDefinition("exam", "exam_service", Settings, build))
