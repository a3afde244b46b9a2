"""What a client of either SDK checks of our servers: one line on standard output per check."""

import json
import os

CONTAINER = os.environ["INTEROP_CONTAINER"]
SEEN = {
    "docker-control": {"restart_container", "health_check", "get_logs", "update_resources", "exec_command"},
    "config-patcher": {"update_env_vars", "rollback_container"},
}
SEEN["gateway"] = SEEN["docker-control"] | SEEN["config-patcher"]


def passed(what):
    print(f"ok {what}", flush=True)


def structured(result):
    """The structured content, which every text content mirrors."""
    value = getattr(result, "structured_content", None) or getattr(result, "structuredContent", None)
    assert value is not None, result
    assert json.loads(result.content[0].text) == value, "the text does not mirror the structured content"
    return value


def is_error(result):
    flag = getattr(result, "is_error", None)
    return getattr(result, "isError", None) if flag is None else flag


async def check(name, server, list_tools, call_tool):
    """`list_tools()` gives tools, `call_tool(name, arguments)` a result or raises."""
    tools = {tool.name: tool for tool in await list_tools()}
    assert SEEN[server] <= set(tools), sorted(tools)
    passed(f"{name}: lists its tools")
    for tool in tools.values():
        hints = tool.annotations
        read_only = getattr(hints, "read_only_hint", None)
        read_only = getattr(hints, "readOnlyHint", None) if read_only is None else read_only
        assert read_only is not None, tool
        schema = getattr(tool, "output_schema", None) or getattr(tool, "outputSchema", None)
        assert schema["type"] == "object", tool
    passed(f"{name}: every tool has hints and an output schema")
    if server == "config-patcher":
        await fails(call_tool, "update_env_vars", {"container_name": CONTAINER, "env_updates": {}})
        passed(f"{name}: a change of nothing is refused")
        value = structured(
            await call_tool("update_env_vars", {"container_name": CONTAINER, "env_updates": {"INTEROP": name}})
        )
        assert value["success"] is True, value
        passed(f"{name}: update_env_vars changes a container")
        return
    value = structured(await call_tool("health_check", {"container_name": CONTAINER}))
    assert value["success"] is True and value["status"] == "running", value
    passed(f"{name}: health_check sees a running container")
    before = value["started_at"]
    value = structured(await call_tool("restart_container", {"container_name": CONTAINER, "reason": "interop"}))
    assert value["success"] is True and value["reason"] == "interop", value
    value = structured(await call_tool("health_check", {"container_name": CONTAINER}))
    assert value["started_at"] != before, value
    passed(f"{name}: restart_container restarted it")
    await fails(call_tool, "restart_container", {"container_name": "there-is-none-of-that-name"})
    passed(f"{name}: an unknown container is an error")
    await fails(call_tool, "restart_container", {"container": CONTAINER})
    passed(f"{name}: wrong arguments are an error")
    await fails(call_tool, "no_such_tool", {})
    passed(f"{name}: an unknown tool is an error")


async def fails(call_tool, tool, arguments):
    try:
        result = await call_tool(tool, arguments)
    except Exception as error:  # the SDKs have classes of their own for a JSON-RPC error
        assert "timed out" not in str(error).lower(), error
        return
    assert is_error(result), result
