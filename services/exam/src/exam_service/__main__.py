"""`python -m exam_service serve | work | migrate | check-config | queues`, and what `commands` has."""

import sys

from examkit.app import ServiceDefinition, main

from exam_service import commands
from exam_service.bootstrap import build
from exam_service.consumers import GRADES_QUEUE
from exam_service.settings import Settings

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in commands.COMMANDS:
        sys.exit(commands.run(sys.argv[1:]))
    main(ServiceDefinition("exam", "exam_service", Settings, build, queues=(GRADES_QUEUE,)))
