"""What simulate.sh runs: pairs that answer, a Prometheus that asks them, and the dashboard's queries with a clock."""

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).parent
TEMPLATE = (HERE / "simulate.prom").read_text()
LIMIT = 1.0
# What the passive node, and what a sick pair says 0 of.
PASSIVE = ["database_ready", "database_running", "database_connections", "drbd_primary", "store_mounted"]
SICK = ["database_ready", "drbd_connected", "failover_ready"]
# What is said of the node that is asked.
OWN = re.compile(r"kaiwudb_ha_(?!node_|resource_|cluster_(?!up))")


def answer(number, node):
    """What a node of a pair says: the names are others, and every hundredth pair has faults."""
    zero = (PASSIVE if node == "node2" else []) + (SICK if number % 100 == 0 else [])
    lines = []
    for line in TEMPLATE.splitlines():
        if OWN.match(line):
            line = line.replace('node="node1"', f'node="{node}"')
        if any(line.startswith(f"kaiwudb_ha_{name}{{") for name in zero):
            line = line.rsplit(" ", 1)[0] + " 0"
        lines.append(line)
    return "\n".join(lines).replace("PAIR", f"site-{number}") + "\n"


class Node(BaseHTTPRequestHandler):
    """Answers /metrics?target=NUMBER-NODE."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
        number, node = query["target"][0].split("-")
        body = answer(int(number), node).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


def prometheus(directory, port, pairs):
    """Starts one on a free port; returns the process and its address."""
    targets = [f"{number}-{node}" for number in range(pairs) for node in ("node1", "node2")]
    (directory / "targets.json").write_text(json.dumps([{"targets": targets}]))
    (directory / "prometheus.yml").write_text(
        f"""global: {{scrape_interval: 15s, scrape_timeout: 10s, evaluation_interval: 30s}}
rule_files: ['{HERE / "kaiwudb-ha.rules.yml"}']
scrape_configs:
  - job_name: kaiwudb-ha
    file_sd_configs: [{{files: ['{directory / "targets.json"}']}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__address__], target_label: instance}}
      - {{target_label: __address__, replacement: '127.0.0.1:{port}'}}
"""
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), Node) as free:
        address = f"127.0.0.1:{free.server_address[1]}"
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={address}",
            "--log.level=error",
        ]
    )
    return process, address


def ask(address, path, **parameters):
    url = f"http://{address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(url, timeout=60) as reply:
        return json.load(reply)["data"]


def queries(pair):
    """Title, expression and whether it is an instant query, of each query of the dashboard."""
    dashboard = json.loads((HERE / "kaiwudb-ha.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$pair", pair)
            yield panel["title"], expression, target.get("instant", False)


def measure(address, pair):
    """The slowest of three tries of each query, in seconds."""
    worst = []
    for title, expression, is_instant in queries(pair):
        times = []
        for _ in range(3):
            begun = time.monotonic()
            if is_instant:
                found = ask(address, "query", query=expression)
            else:
                now = time.time()
                found = ask(address, "query_range", query=expression, start=now - 6 * 3600, end=now, step=30)
            times.append(time.monotonic() - begun)
        worst.append((max(times), title, len(found["result"])))
    return worst


def main():
    pairs, seconds = int(sys.argv[1]), int(sys.argv[2])
    server = Server(("127.0.0.1", 0), Node)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        process, address = prometheus(Path(name), server.server_address[1], pairs)
        try:
            time.sleep(seconds)
            series = ask(address, "query", query='count({__name__=~"kaiwudb_ha_.*"})')["result"][0]["value"][1]
            up = ask(address, "query", query="sum(up)")["result"][0]["value"][1]
            rules = ask(address, "rules")["groups"]
            took = sum(group["evaluationTime"] for group in rules)
            print(f"{pairs} pairs, {up} targets answer, {series} series; all rules take {took:.2f} s")
            worst = sorted(measure(address, "site-7"), reverse=True)
            for one, title, results in worst:
                print(f"{one:6.3f} s  {results:5} results  {title}")
        finally:
            process.terminate()
            process.wait()
    print(f"slowest query: {worst[0][0]:.3f} s")
    return 0 if worst[0][0] <= LIMIT and float(up) == 2 * pairs else 1


sys.exit(main())
