"""Answers as JupyterLab does when it is asked how it is."""

import http.server
import os
import signal
import sys

options = dict(a.lstrip("-").split("=", 1) for a in sys.argv[1:] if "=" in a)
if os.path.exists("broken"):
    sys.exit("no luck today")
if os.path.exists("slow"):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as Jupyter, which asks first
    print("slow", flush=True)
    signal.pause()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.headers["Authorization"] == "token " + os.environ["JUPYTER_TOKEN"]
        self.send_response(200 if allowed and self.path == "/api/status" else 403)
        self.end_headers()


print("serving", os.getcwd(), flush=True)
http.server.ThreadingHTTPServer((options["ip"], int(options["port"])), Handler).serve_forever()
