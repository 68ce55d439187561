"""A bucket store on the loopback, as much of it as TensorFlow's file system asks for.

TensorFlow calls fixed hosts, over TLS. So this is a proxy that answers itself: given as
`https_proxy`, with its certificate as `CURL_CA_BUNDLE`.
"""

import json
import os
import socketserver
import ssl
import subprocess
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler

HOSTS = ("www.googleapis.com", "storage.googleapis.com")


class FakeGcs(socketserver.ThreadingTCPServer):
    """The store: `objects` by name, whatever the bucket, and the names `written` so far."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.written = {}, []
        self._certificate, key = _make_certificate(folder)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self._certificate, key)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def environment(self):
        """What a process needs whose gs:// this shall be."""
        proxy = f"http://127.0.0.1:{self.server_address[1]}"
        proxies = {"https_proxy": proxy, "HTTPS_PROXY": proxy, "no_proxy": "", "NO_PROXY": ""}
        return (
            os.environ
            | proxies
            | {
                "CURL_CA_BUNDLE": str(self._certificate),
                "NO_GCE_CHECK": "true",
                "GOOGLE_APPLICATION_CREDENTIALS": "",
            }
        )


def _make_certificate(folder):
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    names = ",".join(f"DNS:{host}" for host in HOSTS)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", f"/CN={HOSTS[0]}", "-addext", f"subjectAltName={names}"]
        + ["-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    return certificate, key


class Handler(BaseHTTPRequestHandler):
    """Answers the calls of Cloud Storage's JSON interface that TensorFlow makes."""

    protocol_version = "HTTP/1.1"

    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = [urllib.parse.unquote(one) for one in url.path.strip("/").split("/")]
        if parts[0] != "storage":
            return self._download("/".join(parts[1:]))
        if parts[-1] == "o":
            return self._list(query.get("prefix", ""), query.get("delimiter"))
        if len(parts) == 4:
            return self._answer(json.dumps({"location": "EU"}).encode())
        return self._stat(parts[5])

    def _download(self, name):
        content = self.server.objects.get(name)
        if content is None:
            return self._answer(b"", 404)
        wanted = self.headers.get("Range")
        if wanted:
            first, last = wanted.removeprefix("bytes=").split("-")
            if int(first) >= len(content):
                return self._answer(b"", 416)
            return self._answer(content[int(first) : int(last) + 1], 206)
        return self._answer(content)

    def _list(self, prefix, delimiter):
        names, folders = [], set()
        for name in sorted(self.server.objects):
            if name.startswith(prefix):
                rest = name[len(prefix) :]
                if delimiter and delimiter in rest:
                    folders.add(prefix + rest.split(delimiter)[0] + delimiter)
                else:
                    names.append({"name": name})
        self._answer(json.dumps({"items": names, "prefixes": sorted(folders)}).encode())

    def _stat(self, name):
        content = self.server.objects.get(name)
        if content is None:
            return self._answer(b"", 404)
        said = {"size": str(len(content)), "generation": "1", "updated": "2026-01-01T00:00:00.000Z"}
        return self._answer(json.dumps(said).encode())

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        body = self._read_body()
        if query.get("uploadType") == "resumable":
            place = f"https://{HOSTS[0]}/put?" + urllib.parse.urlencode({"name": query["name"]})
            return self._answer(b"", 200, Location=place)
        self._write(query["name"], body)
        return self._answer(b"{}")

    def do_PUT(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        sent, size = self.headers["Content-Range"].removeprefix("bytes ").split("/")
        if sent == "*" and int(size):
            # Asks how much has arrived, after an error.
            whole = query["name"] in self.server.objects
            return self._answer(b"{}", 200 if whole else 308)
        self._write(query["name"], self._read_body())
        return self._answer(b"{}")

    def do_DELETE(self):
        name = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path.split("/o/")[1])
        self._answer(b"", 204 if self.server.objects.pop(name, None) is not None else 404)

    def _read_body(self):
        # TensorFlow sends a length as well as chunks, which count.
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _write(self, name, content):
        self.server.written.append(name)
        self.server.objects[name] = content

    def _answer(self, content, status=200, **headers):
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        """Says nothing."""
