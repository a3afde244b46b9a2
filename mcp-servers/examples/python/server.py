"""Example of an MCP server: the load of this machine, and the flag file of a load balancer.

MAINTENANCE_FILE names the file; while it exists, the balancer sends nobody here.
"""

import os
import shutil
from pathlib import Path
from typing import Any

from mcp.server import MCPServer
from mcp_types import ToolAnnotations

server = MCPServer("host", instructions="Load of this machine; a flag for maintenance.")


def memory() -> dict[str, int]:
    """Bytes by the kernel's own names."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    pairs = (line.split()[:2] for line in lines)
    wanted = {"MemTotal:": "total", "MemAvailable:": "available", "SwapFree:": "swap_free"}
    return {wanted[name]: int(kib) * 1024 for name, kib in pairs if name in wanted}


@server.tool(
    title="Host load",
    annotations=ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    ),
)
def host_load() -> dict[str, Any]:
    """Load, memory and space of this machine."""
    one, five, fifteen = os.getloadavg()
    disk = shutil.disk_usage("/")
    return {
        "success": True,
        "message": f"load {one:.2f}, {five:.2f}, {fifteen:.2f} on {os.cpu_count()} processors",
        "load": [one, five, fifteen],
        "processors": os.cpu_count(),
        "memory": memory(),
        "disk": {"total": disk.total, "free": disk.free},
    }


@server.tool(
    title="Set maintenance",
    annotations=ToolAnnotations(
        read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    ),
)
def set_maintenance(on: bool, reason: str = "") -> dict[str, Any]:
    """Takes this machine out of the load balancer, or puts it back."""
    flag = Path(os.environ["MAINTENANCE_FILE"])
    if len(reason) > 1024:
        raise ValueError("reason: at most 1024 characters")
    was = flag.exists()
    if on:
        flag.write_text(reason + "\n", encoding="utf-8")
    else:
        flag.unlink(missing_ok=True)
    words = {True: "on", False: "off"}
    return {
        "success": True,
        "message": f"maintenance is {words[on]}, it was {words[was]}",
        "changed": was != on,
    }


if __name__ == "__main__":
    server.run(transport="stdio")
