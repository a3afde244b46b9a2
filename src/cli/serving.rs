//! The verbs that serve MCP, and the one that shows an instance that serves the API.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

/// The embedded MCP servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServerName {
    /// Container tools.
    DockerControl,
    /// Environment tools.
    ConfigPatcher,
}

/// One MCP server.
#[derive(Clone, Debug, Args)]
pub struct McpServerArgs {
    /// Which
    #[arg(value_enum)]
    pub name: ServerName,
    /// Serve every connection to this address as standard input and output would be; for a static
    /// gateway on a private network, since nobody is asked who they are
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with_all = ["listen_http", "probe_tcp"])]
    pub listen_tcp: Option<SocketAddr>,
    /// Serve streamable HTTP at /mcp; the token is that of MCP_SERVER_AUTH_TOKEN
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "probe_tcp")]
    pub listen_http: Option<SocketAddr>,
    /// Under --listen-http: serve without a token, on a loopback address only
    #[arg(long, requires = "listen_http")]
    pub allow_unauthenticated: bool,
    /// Under --listen-http: a further name under which this machine is asked for (Host header)
    #[arg(long = "allow-host", value_name = "NAME", requires = "listen_http")]
    pub allowed_hosts: Vec<String>,
    /// Only look whether something listens there: exit status 0 or 1, for health checks
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub probe_tcp: Option<SocketAddr>,
}

/// The gateway.
#[derive(Clone, Debug, Args)]
pub struct GatewayArgs {
    /// Address to serve at; the token that clients must show is that of MCP_GATEWAY_AUTH_TOKEN
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8811")]
    pub listen: SocketAddr,
    /// Serve without a token, on a loopback address only
    #[arg(long)]
    pub allow_unauthenticated: bool,
    /// A further name under which this machine is asked for (Host header); may be given several
    /// times
    #[arg(long = "allow-host", value_name = "NAME")]
    pub allowed_hosts: Vec<String>,
    /// Serve only these tools
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub tools: Vec<String>,
    /// Forbid every change: tools that change something are neither listed nor called
    #[arg(long)]
    pub read_only: bool,
    /// Allow every container as a target, not only watched ones
    #[arg(long)]
    pub all: bool,
    /// Calls that are taken within a minute
    #[arg(long, value_name = "COUNT", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub calls_per_minute: u32,
}

/// An instance that runs elsewhere.
#[derive(Clone, Debug, Args)]
pub struct AttachArgs {
    /// Where it serves its API, e.g. http://127.0.0.1:8000
    #[arg(value_name = "URL")]
    pub url: String,
    /// What it asks for before it shows or does anything [default: API_TOKEN, then, on this
    /// machine, the token in the state folder]
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<String>,
}
