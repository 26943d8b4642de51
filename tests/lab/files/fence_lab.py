#!/usr/bin/python3
"""Fence agent for the lab: asks the power switch of the machine that the nodes run on.

Options come as key=value lines on standard input (Pacemaker) or as arguments (people).
Exit status: 0 success, for 'status' also "is on"; 2 'status': is off; 1 error.
"""

import argparse
import socket
import sys

METADATA = """<?xml version="1.0" ?>
<resource-agent name="fence_lab" shortdesc="Fence agent for the lab's power switch">
  <longdesc>Powers the nodes of the lab off and on. The switch answers one line of text per connection over TCP.</longdesc>
  <vendor-url></vendor-url>
  <parameters>
    <parameter name="action" unique="0" required="0">
      <getopt mixed="-o, --action=[action]" />
      <content type="string" default="reboot" />
      <shortdesc lang="en">Fencing action</shortdesc>
    </parameter>
    <parameter name="ip" unique="0" required="0">
      <getopt mixed="-a, --ip=[ip]" />
      <content type="string" default="10.77.2.1" />
      <shortdesc lang="en">Address of the power switch</shortdesc>
    </parameter>
    <parameter name="ipport" unique="0" required="0">
      <getopt mixed="-u, --ipport=[port]" />
      <content type="integer" default="7701" />
      <shortdesc lang="en">TCP port of the power switch</shortdesc>
    </parameter>
    <parameter name="plug" unique="0" required="0" obsoletes="port">
      <getopt mixed="-n, --plug=[id]" />
      <content type="string" />
      <shortdesc lang="en">Node to switch, by host name</shortdesc>
    </parameter>
    <parameter name="port" unique="0" required="0" deprecated="1">
      <getopt mixed="-n, --plug=[id]" />
      <content type="string" />
      <shortdesc lang="en">Node to switch, by host name</shortdesc>
    </parameter>
  </parameters>
  <actions>
    <action name="on" automatic="0" />
    <action name="off" />
    <action name="reboot" />
    <action name="status" />
    <action name="monitor" />
    <action name="list" />
    <action name="metadata" />
  </actions>
</resource-agent>
"""


def options():
    """From the command line; from standard input when there is none."""
    if len(sys.argv) > 1:
        parser = argparse.ArgumentParser(prog="fence_lab")
        parser.add_argument("-o", "--action")
        parser.add_argument("-a", "--ip")
        parser.add_argument("-u", "--ipport")
        parser.add_argument("-n", "--plug")
        return vars(parser.parse_args())
    pairs = (line.strip().partition("=") for line in sys.stdin if not line.startswith("#"))
    return {key: value for key, _, value in pairs if key}


def ask(given, request):
    """One request, one answer: 'ok TEXT' or 'error TEXT'."""
    address = (given.get("ip") or "10.77.2.1", int(given.get("ipport") or 7701))
    with socket.create_connection(address, timeout=5) as switch:
        switch.settimeout(40)
        switch.sendall(request.encode() + b"\n")
        answer = switch.makefile().readline().strip()
    word, _, text = answer.partition(" ")
    if word != "ok":
        raise OSError(text or "the power switch closed the connection without an answer")
    return text


def main():
    given = options()
    action = given.get("action") or "reboot"
    node = given.get("plug") or given.get("port") or ""
    if action == "metadata":
        print(METADATA, end="")
    elif action in ("monitor", "list"):
        names = ask(given, "list").split()
        if action == "list":
            print("\n".join(name + "," for name in names))
    elif action not in ("on", "off", "reboot", "status"):
        raise OSError(f"action is '{action}'; allowed are on, off, reboot, status, monitor, list and metadata")
    elif not node:
        raise OSError(f"action '{action}' needs a plug: the host name of a node")
    elif action == "status":
        power = ask(given, f"status {node}")
        print(f"Status: {power.upper()}")
        return 0 if power == "on" else 2
    else:
        ask(given, f"{action} {node}")
    return 0


try:
    sys.exit(main())
except (OSError, ValueError) as error:
    print(f"fence_lab: {error}", file=sys.stderr)
    sys.exit(1)
