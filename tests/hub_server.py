"""A server that is to `huggingface_hub` what the Hub is: repositories of models, in memory."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_a-token-that-may-write"


@dataclass
class Repository:
    private: bool = False
    revisions: dict[str, dict[str, bytes]] = field(default_factory=lambda: {sha(b""): {}})
    """The files of each revision; the last is main."""

    @property
    def files(self) -> dict[str, bytes]:
        return self.revisions[self.head]

    @property
    def head(self) -> str:
        return [*self.revisions][-1]

    def commit(self, files: dict[str, bytes]) -> str:
        name = sha(str(len(self.revisions)).encode() + b"".join(files.values()))
        self.revisions[name] = files
        return name


@dataclass
class Hub:
    endpoint: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    """The files that were asked for."""


def sha(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, tree: Any = None, headers: dict[str, str] | None = None, data: bytes = b"") -> None:
        body = data if tree is None else json.dumps(tree).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def visible(self, name: str) -> Repository | None:
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not self.may):
            self.answer(404 if self.may else 401, {"error": "none"}, {"X-Error-Code": "RepoNotFound"})
            return None
        return repository

    @property
    def may(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/":
            return self.answer(200, {})
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?", path):
            return self.tell(*found.groups())
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self.give(*found.groups())
        return self.answer(404, {"error": path})

    def tell(self, name: str, what: str | None, revision: str | None) -> None:
        if (repository := self.visible(name)) is None:
            return None
        revision = repository.head if revision in {None, "main"} else revision
        if revision not in repository.revisions:
            return self.answer(404, {"error": "none"}, {"X-Error-Code": "RevisionNotFound"})
        files = repository.revisions[revision]
        if what == "tree":
            return self.answer(
                200, [{"type": "file", "path": one, "size": len(data), "oid": sha(data)} for one, data in files.items()]
            )
        siblings = [{"rfilename": one} for one in files]
        return self.answer(
            200, {"id": name, "sha": revision, "private": repository.private, "tags": [], "siblings": siblings}
        )

    def give(self, name: str, revision: str, file: str) -> None:
        if (repository := self.visible(name)) is None:
            return None
        self.hub.fetched.append(file)
        revision = repository.head if revision == "main" else revision
        data = repository.revisions[revision][file]
        return self.answer(200, None, {"ETag": f'"{sha(data)}"', "X-Repo-Commit": revision}, data)

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        if path == "/api/validate-yaml":
            return self.answer(200, {"errors": [], "warnings": []})
        if not self.may:
            return self.answer(403, {"error": "no"})
        if path == "/api/repos/create":
            asked = json.loads(sent)
            name = f"{asked['organization']}/{asked['name']}"
            self.hub.repositories[name] = Repository(
                private=asked.get("private") or asked.get("visibility") == "private"
            )
            return self.answer(200, {"url": f"{self.hub.endpoint}/{name}", "id": name})
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", path)
        assert found, path
        if found[2] == "preupload":
            files = [one["path"] for one in json.loads(sent)["files"]]
            modes = [{"path": one, "uploadMode": "regular", "shouldIgnore": False} for one in files]
            return self.answer(200, {"files": modes})
        return self.commit(found[1], [json.loads(line) for line in sent.splitlines()])

    def commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        repository = self.hub.repositories[name]
        files = dict(repository.files)
        for line in lines:
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            elif line["key"] == "deletedFile":
                del files[line["value"]["path"]]
        oid = repository.commit(files)
        self.answer(200, {"commitUrl": f"{self.hub.endpoint}/{name}/commit/{oid}", "commitOid": oid, "success": True})


@contextmanager
def serving() -> Iterator[Hub]:
    """Serve a hub without repositories."""
    hub = Hub()
    handler = type("OfThisHub", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
