//! The tools with their schemas and hints.
//!
//! The hints are what FAILURES.md asks for: a read is free, a raise and a start destroy nothing,
//! a restart kills work in flight, and nothing here reaches beyond the engine.

use mcp_kit::Settings;
use mcp_kit::engine::Engine;
use mcp_kit::reply::{answer, input_schema, output_schema};
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::model::{CallToolResult, JsonObject};
use rmcp::{ServerHandler, tool, tool_handler, tool_router};

use crate::{
    arguments, exec, health, life, limits, logs, look, network, policy, probe, processes, results,
};

/// The server: one engine, seventeen tools.
#[derive(Clone, Debug)]
pub struct DockerControl {
    engine: Engine,
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl DockerControl {
    /// A server for the engine that `settings` name. Nothing is contacted yet.
    pub fn new(settings: Settings) -> Self {
        Self { engine: Engine::new(settings), tool_router: Self::tool_router() }
    }

    #[tool(
        description = "Restart a container: stop it with its own grace time, start it again. Everything in flight inside is lost; files and limits stay.",
        input_schema = input_schema::<arguments::Change>(),
        output_schema = output_schema::<results::Changed>(),
        annotations(
            title = "Restart container",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = false,
            open_world_hint = false
        )
    )]
    async fn restart_container(&self, arguments: JsonObject) -> CallToolResult {
        answer("restart_container", arguments, |a| life::restart(&self.engine, a)).await
    }

    #[tool(
        description = "Start a stopped container. Does nothing if it runs already.",
        input_schema = input_schema::<arguments::Change>(),
        output_schema = output_schema::<results::Changed>(),
        annotations(
            title = "Start container",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn start_container(&self, arguments: JsonObject) -> CallToolResult {
        answer("start_container", arguments, |a| life::start(&self.engine, a)).await
    }

    #[tool(
        description = "Stop a container. It stays stopped until somebody starts it. Does nothing if it is stopped already; refuses a container that would be removed by it (--rm).",
        input_schema = input_schema::<arguments::Stop>(),
        output_schema = output_schema::<results::Changed>(),
        annotations(
            title = "Stop container",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn stop_container(&self, arguments: JsonObject) -> CallToolResult {
        answer("stop_container", arguments, |a| life::stop(&self.engine, a)).await
    }

    #[tool(
        description = "Freeze every process of a running container; it answers nothing until it is unpaused. Does nothing if it is paused already.",
        input_schema = input_schema::<arguments::Change>(),
        output_schema = output_schema::<results::Changed>(),
        annotations(
            title = "Pause container",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn pause_container(&self, arguments: JsonObject) -> CallToolResult {
        answer("pause_container", arguments, |a| life::pause(&self.engine, a)).await
    }

    #[tool(
        description = "Let a paused container go on. Does nothing if it is not paused.",
        input_schema = input_schema::<arguments::Change>(),
        output_schema = output_schema::<results::Changed>(),
        annotations(
            title = "Unpause container",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn unpause_container(&self, arguments: JsonObject) -> CallToolResult {
        answer("unpause_container", arguments, |a| life::unpause(&self.engine, a)).await
    }

    #[tool(
        description = "Attach a container to a user network, under the names by which the others reach it there. Does nothing if it is attached so already.",
        input_schema = input_schema::<arguments::Connect>(),
        output_schema = output_schema::<results::Attached>(),
        annotations(
            title = "Connect to network",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn connect_network(&self, arguments: JsonObject) -> CallToolResult {
        answer("connect_network", arguments, |a| network::connect(&self.engine, a)).await
    }

    #[tool(
        description = "Detach a container from a network. Its connections there break. Does nothing if it is not on it.",
        input_schema = input_schema::<arguments::Disconnect>(),
        output_schema = output_schema::<results::Attached>(),
        annotations(
            title = "Disconnect from network",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn disconnect_network(&self, arguments: JsonObject) -> CallToolResult {
        answer("disconnect_network", arguments, |a| network::disconnect(&self.engine, a)).await
    }

    #[tool(
        description = "The containers that may be looked at, with image, state and service.",
        input_schema = input_schema::<arguments::List>(),
        output_schema = output_schema::<results::Listed>(),
        annotations(
            title = "List containers",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn list_containers(&self, arguments: JsonObject) -> CallToolResult {
        answer("list_containers", arguments, |a| look::list(&self.engine, a)).await
    }

    #[tool(
        description = "How a container is set up and how it is: image, command, environment, limits, mounts, networks, ports, labels, state. Secrets are masked.",
        input_schema = input_schema::<arguments::Inspect>(),
        output_schema = output_schema::<results::Inspected>(),
        annotations(
            title = "Inspect container",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn inspect_container(&self, arguments: JsonObject) -> CallToolResult {
        answer("inspect_container", arguments, |a| look::inspect(&self.engine, a)).await
    }

    #[tool(
        description = "The processes of a running container, command lines with secrets masked.",
        input_schema = input_schema::<arguments::Inspect>(),
        output_schema = output_schema::<results::Processes>(),
        annotations(
            title = "List processes",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn top(&self, arguments: JsonObject) -> CallToolResult {
        answer("top", arguments, |a| processes::top(&self.engine, a)).await
    }

    #[tool(
        description = "What a running container uses at this moment: processor over one second, memory, processes, traffic.",
        input_schema = input_schema::<arguments::Inspect>(),
        output_schema = output_schema::<results::Used>(),
        annotations(
            title = "Read usage",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn stats_snapshot(&self, arguments: JsonObject) -> CallToolResult {
        answer("stats_snapshot", arguments, |a| processes::stats(&self.engine, a)).await
    }

    #[tool(
        description = "Set what the engine does when the process of a container ends. Takes effect at its next end.",
        input_schema = input_schema::<arguments::SetPolicy>(),
        output_schema = output_schema::<results::PolicySet>(),
        annotations(
            title = "Set restart policy",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn set_restart_policy(&self, arguments: JsonObject) -> CallToolResult {
        answer("set_restart_policy", arguments, |a| policy::set(&self.engine, a)).await
    }

    #[tool(
        description = "State and health of a container at this moment, with the output of its last probe.",
        input_schema = input_schema::<arguments::Health>(),
        output_schema = output_schema::<results::Health>(),
        annotations(
            title = "Check health",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn health_check(&self, arguments: JsonObject) -> CallToolResult {
        answer("health_check", arguments, |a| health::check(&self.engine, a)).await
    }

    #[tool(
        description = "Change the memory and CPU limits of a container while it runs. Swap is raised with memory; a limit below what is used now is refused.",
        input_schema = input_schema::<arguments::Update>(),
        output_schema = output_schema::<results::Updated>(),
        annotations(
            title = "Change limits",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn update_resources(&self, arguments: JsonObject) -> CallToolResult {
        answer("update_resources", arguments, |a| limits::update(&self.engine, a)).await
    }

    #[tool(
        description = "The newest lines of a container's log, oldest first, with secrets masked. At most 64 KiB; says when older lines were cut.",
        input_schema = input_schema::<arguments::Logs>(),
        output_schema = output_schema::<results::Logs>(),
        annotations(
            title = "Read logs",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn get_logs(&self, arguments: JsonObject) -> CallToolResult {
        answer("get_logs", arguments, |a| logs::read(&self.engine, a)).await
    }

    #[tool(
        description = "Run a command inside a running container and wait for its end. It is killed when the timeout passes. Output is redacted and at most 64 KiB.",
        input_schema = input_schema::<arguments::Exec>(),
        output_schema = output_schema::<results::Exec>(),
        annotations(
            title = "Run command inside",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = false,
            open_world_hint = false
        )
    )]
    async fn exec_command(&self, arguments: JsonObject) -> CallToolResult {
        answer("exec_command", arguments, |a| exec::run(&self.engine, a)).await
    }

    #[tool(
        description = "A fixed look inside a running container, or from it at a neighbour: space, memory, processes, sockets, names, whether a port or page answers. The commands are built in, change nothing and end within 10 s. Output is redacted and at most 64 KiB.",
        input_schema = input_schema::<arguments::Look>(),
        output_schema = output_schema::<results::Probed>(),
        annotations(
            title = "Look inside",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn run_probe(&self, arguments: JsonObject) -> CallToolResult {
        answer("run_probe", arguments, |a| probe::run(&self.engine, a)).await
    }
}

#[tool_handler(
    router = self.tool_router,
    name = "docker-control",
    instructions = "Tools for one Docker container: look, restart, start, stop, pause, change limits and networks, run a command. Only containers labelled sre-sentinel.monitor=true are targets."
)]
impl ServerHandler for DockerControl {}
