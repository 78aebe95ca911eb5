"""Asks one of our processes over HTTP whether it is well."""

import contextlib
import urllib.request


def answers(url: str, timeout: float = 2.0) -> bool:
    """Whether a GET of this URL gives 200; never through a proxy."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(OSError, ValueError), direct.open(url, timeout=timeout) as response:
        return bool(response.status == 200)
    return False
