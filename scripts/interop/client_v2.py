"""A client of the Python SDK 2.x: client_v2.py NAME SERVER (stdio COMMAND… | http URL)."""

import asyncio
import os
import sys

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

import checks


async def session(name, server, mode, transport):
    async with Client(transport, mode=mode) as client:
        checks.passed(f"{name}: speaks {client.protocol_version}")

        async def list_tools():
            return (await client.list_tools()).tools

        await checks.check(name, server, list_tools, client.call_tool)


async def main():
    name, server, way, *rest = sys.argv[1:]
    # What was negotiated, and each revision by itself.
    for mode in ("auto", "legacy", "2026-07-28"):
        named = f"{name}, {mode}"
        if way == "stdio":
            parameters = StdioServerParameters(command=rest[0], args=rest[1:], env=dict(os.environ))
            await session(named, server, mode, stdio_client(parameters))
        else:
            headers = {"Authorization": f"Bearer {os.environ['INTEROP_TOKEN']}"}
            async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
                await session(named, server, mode, streamable_http_client(rest[0], http_client=http))


asyncio.run(main())
