"""Reading a workbook in a test, without the process around it."""

from import_service.domain.columns import Kind
from import_service.parser.frames import Bad, Failure, Frame, Good
from import_service.parser.reading import read_workbook
from import_service.parser.recognising import recognise


def frames(data: bytes, filename: str, kind: Kind = Kind.QUESTIONS) -> list[Frame]:
    return list(read_workbook(data, recognise(filename, data), kind))


def rows(data: bytes, filename: str, kind: Kind = Kind.QUESTIONS) -> list[Good | Bad]:
    """The rows of a file that is fine as a whole."""
    found = frames(data, filename, kind)
    assert not isinstance(found[-1], Failure), found[-1]
    return [frame for frame in found if isinstance(frame, Good | Bad)]


def failure(data: bytes, filename: str, kind: Kind = Kind.QUESTIONS) -> Failure:
    last = frames(data, filename, kind)[-1]
    assert isinstance(last, Failure), last
    return last
