"""The web export: which file an address gives, what may be kept, what its pages may do."""

import base64
import hashlib
import json
import threading

import pytest
from exam_gateway.export import Export

START = "<script>start()</script>"
FILES = {
    "index.html": f"{START}<script src='/_next/static/a.js'></script><style>p{{}}</style>",
    "exams/index.html": "<p>exams</p>",
    "404.html": "<script>nothing()</script>nothing here",
    "exams/index.txt": "0:payload",
    "sw.js": "self.skipWaiting()",
    "manifest.webmanifest": "{}",
    "_next/static/a.js": "plain " * 200,
    "_next/static/a.js.br": "brotli",
    "_next/static/a.js.gz": "gzipped",
    "_next/static/b.css": "p{}",
}


def sha(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def directive(reply, name):
    for each in reply.headers["content-security-policy"].split("; "):
        if each.startswith(name + " "):
            return each.removeprefix(name + " ")
    return None


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path / "out"


@pytest.fixture
async def web(run, root):
    async with run(web_root=str(root)) as gateway:
        gateway.anonymous.headers.update({"accept-encoding": "identity"})
        yield gateway.anonymous


async def test_pages_and_their_addresses(web):
    assert (await web.get("/")).text == FILES["index.html"]
    page = await web.get("/exams/")
    assert (page.status_code, page.text) == (200, FILES["exams/index.html"])
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    moved = await web.get("/exams?a=b&c=%20")
    assert (moved.status_code, moved.headers["location"]) == (308, "/exams/?a=b&c=%20")
    payload = await web.get("/exams/index.txt")
    assert (payload.text, payload.headers["cache-control"]) == ("0:payload", "no-cache")
    assert (await web.get("/manifest.webmanifest")).headers["content-type"] == "application/manifest+json"


async def test_no_redirect_leads_elsewhere(web):
    """`//exams/` would be another host."""
    moved = await web.send(web.build_request("GET", web.base_url.copy_with(raw_path=b"//exams")))
    assert (moved.status_code, moved.headers["location"]) == (308, "/exams/")


async def test_what_is_not_there_is_a_page_that_says_so(web, root):
    for path in ("/none", "/exams/none/", "/_next/static/none.js"):
        reply = await web.get(path, headers={"range": "bytes=0-3"})
        assert (reply.status_code, reply.text) == (404, FILES["404.html"])
        assert sha("nothing()") in directive(reply, "script-src")
    (root / "404.html").unlink()
    reply = await web.get("/none")
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
    assert (await web.get("/api/v1/none")).json()["code"] == "not_found"


@pytest.mark.parametrize(
    "path",
    [
        b"/../secret.txt",
        b"/exams/../../secret.txt",
        b"/%2e%2e/secret.txt",
        b"/..%2fsecret.txt",
        b"/link.txt",
        b"/%00",
        b"/" + b"a" * 300,
        b"/index.html/x",
    ],
)
async def test_nothing_outside_of_the_export(web, root, path):
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    reply = await web.send(web.build_request("GET", web.base_url.copy_with(raw_path=path)))
    assert reply.status_code == 404
    assert "secret" not in reply.text


async def test_what_is_named_by_its_content_is_kept_for_good(web):
    for path in ("/_next/static/a.js", "/_next/static/b.css"):
        assert (await web.get(path)).headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in ("/", "/exams/", "/sw.js", "/exams/index.txt"):
        assert (await web.get(path)).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "content", "encoding"),
    [
        ("gzip, deflate, br", "brotli", "br"),
        ("gzip;q=0.8, br;q=0", "gzipped", "gzip"),
        ("GZIP", "gzipped", "gzip"),
        ("br;q=0.000,gzip;q=0", "plain", None),
        ("identity", "plain", None),
        ("", "plain", None),
    ],
)
async def test_compressed_neighbours(web, accepted, content, encoding):
    request = web.build_request("GET", "/_next/static/a.js", headers={"accept-encoding": accepted})
    reply = await web.send(request, stream=True)
    raw = b"".join([part async for part in reply.aiter_raw()])
    await reply.aclose()
    assert raw.startswith(content.encode())
    assert reply.headers.get("content-encoding") == encoding
    assert reply.headers["vary"] == "Accept-Encoding"
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["content-length"] == str(len(raw))


async def test_what_is_known_is_not_sent_again(web):
    page = await web.get("/")
    again = await web.get("/", headers={"if-none-match": f'"other", W/{page.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    # The policy of a 304 replaces the one that the browser kept.
    for name in ("etag", "cache-control", "vary", "content-security-policy"):
        assert again.headers[name] == page.headers[name]
    assert (await web.get("/", headers={"if-none-match": '"other"'})).status_code == 200


async def test_encodings_have_etags_of_their_own(web):
    path = "/_next/static/a.js"
    plain = (await web.head(path)).headers["etag"]
    reply = await web.head(path, headers={"accept-encoding": "br", "if-none-match": plain})
    assert reply.status_code == 200
    assert reply.headers["etag"] != plain


async def test_heads_and_ranges(web):
    head = await web.head("/_next/static/a.js")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "1200")
    part = await web.get("/_next/static/a.js", headers={"range": "bytes=2-4"})
    assert (part.status_code, part.text, part.headers["content-range"]) == (206, "ain", "bytes 2-4/1200")
    assert (await web.get("/_next/static/a.js", headers={"range": "bytes=9000-"})).status_code == 416
    refused = await web.post("/exams/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


async def test_a_page_runs_its_own_scripts_and_no_others(web):
    page = await web.get("/")
    assert directive(page, "script-src") == f"'self' {sha('start()')}"
    assert directive(page, "style-src") == f"'self' {sha('p{}')}"
    other = await web.get("/exams/")
    assert (directive(other, "script-src"), directive(other, "style-src")) == ("'self'", "'self'")
    for reply in (page, other, await web.get("/none")):
        assert "unsafe" not in reply.headers["content-security-policy"]
        assert directive(reply, "frame-ancestors") == directive(reply, "base-uri") == "'none'"


async def test_the_hashes_made_at_build_are_the_ones_that_count(web, root):
    (root / "csp.json").write_text(json.dumps({"/index.html": ["sha256-built="]}))
    assert directive(await web.get("/"), "script-src") == "'self' 'sha256-built='"
    # A page that the build did not know runs nothing inline.
    assert directive(await web.get("/none"), "script-src") == "'self'"


async def test_a_service_worker_may_serve_all_pages(web):
    """It obeys the policy that it came with: without connect-src it could fetch nothing."""
    worker = await web.get("/sw.js")
    assert worker.headers["service-worker-allowed"] == "/"
    assert directive(worker, "connect-src") == "'self'"
    assert "service-worker-allowed" not in (await web.get("/")).headers


async def test_a_slow_disk_holds_up_nobody(root, monkeypatch):
    """Files are looked at off the event loop."""
    export, threads = Export(root), set()
    look = export._file

    def looking(name):
        threads.add(threading.get_ident())
        return look(name)

    monkeypatch.setattr(export, "_file", looking)
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    reply = await export.respond(scope)
    assert reply is not None
    assert threads
    assert threading.get_ident() not in threads


async def test_a_build_while_it_serves_is_seen(web, root):
    (root / "index.html").write_text("<script>second()</script>")
    page = await web.get("/")
    assert directive(page, "script-src") == f"'self' {sha('second()')}"
