"""A client of the Python SDK 1.x: client_v1.py NAME SERVER (stdio COMMAND… | http URL)."""

import asyncio
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client

import checks


async def main():
    name, server, way, *rest = sys.argv[1:]
    if way == "stdio":
        opened = stdio_client(StdioServerParameters(command=rest[0], args=rest[1:], env=dict(os.environ)))
    else:
        token = os.environ["INTEROP_TOKEN"]
        opened = streamablehttp_client(rest[0], headers={"Authorization": f"Bearer {token}"})
    async with opened as streams, ClientSession(streams[0], streams[1]) as session:
        hello = await session.initialize()
        assert hello.protocolVersion == "2025-11-25", hello.protocolVersion
        checks.passed(f"{name}: speaks {hello.protocolVersion}")

        async def list_tools():
            return (await session.list_tools()).tools

        await checks.check(name, server, list_tools, session.call_tool)


asyncio.run(main())
