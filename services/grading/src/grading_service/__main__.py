"""`python -m grading_service serve | work | migrate | check-config | queues | attempt`."""

import sys

from examkit.app import ServiceDefinition, main

from grading_service import commands
from grading_service.bootstrap import build
from grading_service.consumers import ATTEMPTS_QUEUE, EXAMS_QUEUE
from grading_service.settings import Settings

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in commands.COMMANDS:
        sys.exit(commands.run(sys.argv[1:]))
    queues = (ATTEMPTS_QUEUE, EXAMS_QUEUE)
    main(ServiceDefinition("grading", "grading_service", Settings, build, queues=queues))
