"""A bucket store on the loopback, as much of it as TensorFlow's and Beam's file systems ask for.

They call fixed hosts, over TLS. So this is a proxy that answers itself: given as
`https_proxy`, with its certificate as `CURL_CA_BUNDLE` and `REQUESTS_CA_BUNDLE`.
"""

import base64
import email
import io
import json
import os
import socketserver
import ssl
import subprocess
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler

import google_crc32c

HOSTS = ("www.googleapis.com", "storage.googleapis.com", "oauth2.googleapis.com")
# Of a user who has logged in; whoever asks for a token with them gets one.
CREDENTIALS = {
    "type": "authorized_user",
    "client_id": "graft",
    "client_secret": "none",
    "refresh_token": "any",
}


class FakeGcs(socketserver.ThreadingTCPServer):
    """The store: `objects` by name, whatever the bucket, and the names `written` so far."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.written, self.begun = {}, [], {}
        self._certificate, key = _make_certificate(folder)
        self._credentials = folder / "credentials.json"
        self._credentials.write_text(json.dumps(CREDENTIALS))
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
                "REQUESTS_CA_BUNDLE": str(self._certificate),
                "NO_GCE_CHECK": "true",
                "GOOGLE_APPLICATION_CREDENTIALS": str(self._credentials),
                "GOOGLE_CLOUD_PROJECT": "graft",
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
    # Headers and body go out by themselves; the body would wait 40 ms for an answer to those.
    disable_nagle_algorithm = True

    def do_CONNECT(self):
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        # Some clients ask for the tunnel by HTTP/1.0, which would end with this answer.
        self.close_connection = False

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = [urllib.parse.unquote(one) for one in url.path.rstrip("/").split("/")[1:]]
        if parts[0] == "download":
            return self._download(parts[6])
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
            part = content[int(first) : int(last or len(content)) + 1]
            where = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
            return self._answer(part, 206, **{"Content-Range": where})
        return self._answer(content)

    def _list(self, prefix, delimiter):
        names, folders = [], set()
        for name in sorted(self.server.objects):
            if name.startswith(prefix):
                rest = name[len(prefix) :]
                if delimiter and delimiter in rest:
                    folders.add(prefix + rest.split(delimiter)[0] + delimiter)
                else:
                    names.append(self._describe(name))
        self._answer(json.dumps({"items": names, "prefixes": sorted(folders)}).encode())

    def _stat(self, name):
        if name not in self.server.objects:
            return self._answer(b"", 404)
        return self._answer(json.dumps(self._describe(name)).encode())

    def _describe(self, name):
        content = self.server.objects[name]
        checksum = base64.b64encode(google_crc32c.Checksum(content).digest()).decode()
        fixed = {"generation": "1", "updated": "2026-01-01T00:00:00.000Z"}
        return {"name": name, "size": str(len(content)), "crc32c": checksum} | fixed

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        body = self._read_body()
        if url.path.endswith("/token"):
            token = {"access_token": "graft", "token_type": "Bearer", "expires_in": 3600}
            return self._answer(json.dumps(token).encode())
        if url.path.startswith("/batch/"):
            return self._do_each(body)
        for verb in ("/rewriteTo/", "/copyTo/"):
            if verb in url.path:
                return self._copy(*url.path.split(verb))
        if query.get("uploadType") == "resumable":
            name = query.get("name") or json.loads(body)["name"]
            place = f"https://{HOSTS[1]}/put?" + urllib.parse.urlencode({"name": name})
            return self._answer(b"", 200, Location=place)
        self._write(query["name"], body)
        return self._answer(b"{}")

    def _copy(self, *paths):
        source, target = (urllib.parse.unquote(one.split("/o/")[1]) for one in paths)
        if source not in self.server.objects:
            return self._answer(b"{}", 404)
        self._write(target, self.server.objects[source])
        answer = {"done": True, "resource": self._describe(target)} | self._describe(target)
        return self._answer(json.dumps(answer).encode())

    def _do_each(self, body):
        """Answers the requests that stand in one, each as if it had come by itself."""
        said = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        answers, connection = [], self.wfile
        for number, part in enumerate(email.message_from_bytes(said + body).get_payload()):
            request = part.get_payload(decode=True) or part.get_payload()[0].as_bytes()
            line, _, rest = request.partition(b"\n")
            method, self.path, _ = line.decode().split()
            self.headers = email.message_from_bytes(rest)
            self.rfile = io.BytesIO(rest.partition(b"\n\n")[2])
            self.wfile = io.BytesIO()
            getattr(self, f"do_{method}")()
            answers.append((number, self.wfile.getvalue()))
        self.wfile = connection
        text = b"".join(
            b"--batch\r\nContent-Type: application/http\r\nContent-ID: <response-%d>\r\n\r\n%s\r\n"
            % one
            for one in answers
        )
        kind = {"Content-Type": "multipart/mixed; boundary=batch"}
        self._answer(text + b"--batch--", 200, **kind)

    def do_PUT(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        name = query["name"]
        if "Content-Range" not in self.headers:
            self._write(name, self._read_body())
            return self._answer(json.dumps(self._describe(name)).encode())
        sent, size = self.headers["Content-Range"].removeprefix("bytes ").split("/")
        if sent == "*" and size != "0":
            # Asks how much has arrived, after an error.
            whole = name in self.server.objects
            return self._answer(b"{}", 200 if whole else 308)
        first = 0 if sent == "*" else int(sent.split("-")[0])
        begun = self.server.begun.pop(name, b"")[:first] + self._read_body()
        if size == "*":
            self.server.begun[name] = begun
            return self._answer(b"", 308, Range=f"bytes=0-{len(begun) - 1}")
        self._write(name, begun)
        return self._answer(json.dumps(self._describe(name)).encode())

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
