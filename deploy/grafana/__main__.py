"""Writes the dashboards as JSON into a folder: `python -m deploy.grafana [FOLDER]`."""

import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import database, exam_day, objectives, rabbitmq, services

BOARDS = (exam_day, services, database, rabbitmq, objectives)
FOLDER = Path(__file__).parent / "dashboards"


def rendered() -> dict[str, str]:
    """By file name, the JSON of each dashboard."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {
        f"{module.__name__.rpartition('.')[2]}.json": encoder.encode(module.board().build()) + "\n"
        for module in BOARDS
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name, text in rendered().items():
        (folder / name).write_text(text)
