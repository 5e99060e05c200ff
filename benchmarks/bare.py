"""The baseline: a bare resource that answers a constant, as large as its path says."""

import sys
from typing import Any

from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Request, Site


class Bare(Resource):
    """Answers, and does nothing else."""

    isLeaf = True

    def __init__(self) -> None:
        """Begin without any answer."""
        super().__init__()
        self._answers: dict[bytes, bytes] = {}

    def render(self, request: Request) -> bytes:
        """Give the constant."""
        size = request.path.split(b"/", 2)[1]
        answer = self._answers.get(size)
        if answer is None:
            answer = self._answers[size] = b"x" * int(size)
        return answer


if __name__ == "__main__":
    site: Any = Site(Bare())
    reactor.listenTCP(int(sys.argv[1]), site, interface="127.0.0.1")
    reactor.run()
