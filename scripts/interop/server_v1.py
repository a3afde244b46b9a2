"""A server of the Python SDK 1.x: server_v1.py [PORT]; without one over standard input and output."""

import sys

from mcp.server.fastmcp import Context, FastMCP

port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
server = FastMCP("python-v1", host="127.0.0.1", port=port or 8000)


@server.tool()
def v1_add(a: int, b: int) -> int:
    """Adds."""
    return a + b


@server.tool()
def v1_fail() -> str:
    """Fails."""
    raise ValueError("it broke")


@server.tool()
async def v1_steps(ctx: Context) -> str:
    """Tells of its progress."""
    for step in range(3):
        await ctx.report_progress(step + 1, 3)
    return "three steps"


server.run(transport="streamable-http" if port else "stdio")
