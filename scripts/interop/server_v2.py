"""A server of the Python SDK 2.x: server_v2.py [PORT]; without one over standard input and output."""

import sys

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
server = MCPServer("python-v2")


@server.tool()
def v2_add(a: int, b: int) -> int:
    """Adds."""
    return a + b


@server.tool()
def v2_fail() -> str:
    """Fails."""
    raise ValueError("it broke")


@server.tool()
async def v2_steps(ctx: Context) -> str:
    """Tells of its progress."""
    for step in range(3):
        await ctx.report_progress(step + 1, 3)
    return "three steps"


if port:
    server.run(transport="streamable-http", host="127.0.0.1", port=port)
else:
    server.run(transport="stdio")
