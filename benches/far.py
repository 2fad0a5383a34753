#!/usr/bin/env python3
"""Imports from S3 beside the same files on this machine and beside Polars.

  far.py PIPEBILL FOLDERS…   prints a table
  far.py serve FOLDER        serves a folder as the bucket `cur`, every answer after 50 ms

The server answers what an import asks (a listing, stretches of objects, who is asking) and looks at
no signature: the double of the tests does, but reads a whole object for every stretch of it.
"""

import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from xml.sax.saxutils import escape

from exports import measured

DELAY = 0.05
STS = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/bench</Arn><UserId>BENCH</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


class Bucket(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    calls = []

    def log_message(self, *_):
        pass

    def answer(self, body, status=200, headers=()):
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(STS.encode())

    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        if url.path == "/_calls":
            return self.answer(json.dumps(self.calls).encode())
        time.sleep(DELAY)
        query = urllib.parse.parse_qs(url.query)
        if "list-type" in query:
            self.calls.append(0)
            return self.answer(self.listing(query.get("prefix", [""])[0]).encode())
        file = self.server.folder / urllib.parse.unquote(url.path).split("/", 2)[2]
        size = file.stat().st_size
        first, last = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "bytes=0-")).groups()
        # Without a first byte it is the end of the object that is asked for.
        first, last = (int(first), int(last or size)) if first else (size - int(last), size)
        last = min(last, size - 1)
        with open(file, "rb") as object:
            body = os.pread(object.fileno(), last + 1 - first, first)
        self.calls.append(len(body))
        self.answer(body, 206 if "Range" in self.headers else 200, [
            ("ETag", f'"{size:x}"'),
            ("Last-Modified", "Sun, 01 Nov 2026 00:00:00 GMT"),
            ("Content-Range", f"bytes {first}-{last}/{size}"),
        ])

    def listing(self, prefix):
        found = []
        for file in sorted(self.server.folder.rglob("*")):
            key, size = str(file.relative_to(self.server.folder)), file.stat().st_size
            if file.is_file() and key.startswith(prefix):
                found.append(f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size><ETag>&quot;{size:x}&quot;</ETag>"
                             "<LastModified>2026-11-01T00:00:00.000Z</LastModified></Contents>")
        return ("<ListBucketResult><Name>cur</Name><IsTruncated>false</IsTruncated>"
                f"{''.join(found)}</ListBucketResult>")


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


def serve(folder):
    server = Server(("127.0.0.1", 0), Bucket)
    server.folder = pathlib.Path(folder)
    print(server.server_port, flush=True)
    server.serve_forever()


def table(pipebill, *folders):
    print("| what | run | wall s | CPU s | peak MB | requests | MB fetched |")
    print("|---|---|---|---|---|---|---|")
    for folder in map(pathlib.Path, folders):
        server = subprocess.Popen([sys.executable, __file__, "serve", folder], stdout=subprocess.PIPE, text=True)
        address = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        os.environ.update({
            "AWS_ENDPOINT_URL": address, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIDBENCH",
            "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1",
            "AWS_ALLOW_HTTP": "true",
        })
        calls = 0
        with tempfile.TemporaryDirectory() as place:
            runs = [(run, [pipebill, "--ledger", f"{place}/{run}", "import", source])
                    for run, source in [("local", folder / "data"), ("S3", "s3://cur/data")]]
            if folder.name.startswith("parquet"):
                peer = pathlib.Path(__file__).with_name("exports.py")
                runs.append(("polars (Python), S3", [sys.executable, peer, "polars", "parquet", "s3://cur/data/*/*",
                                                     f"{place}/out.parquet"]))
            for run, command in runs:
                wall, cpu, peak = measured(command)
                with urllib.request.urlopen(f"{address}/_calls") as answer:
                    asked = json.load(answer)[calls:]
                calls += len(asked)
                print(f"| {folder.name} | {run} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {len(asked)} | "
                      f"{sum(asked) / 1e6:.0f} |", flush=True)
        server.kill()


if __name__ == "__main__":
    serve(sys.argv[2]) if sys.argv[1] == "serve" else table(*sys.argv[1:])
