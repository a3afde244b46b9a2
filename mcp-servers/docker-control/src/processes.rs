//! What runs inside a container, and what it uses.

use std::time::Duration;

use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use mcp_kit::reply::timestamp;
use mcp_kit::target::Target;
use sentinel_core::redact::clean;
use serde_json::Value;

use crate::arguments::Inspect;
use crate::results::{Process, Processes, Used};

/// Processes told at most.
const PROCESSES_MAX: usize = 200;
/// The longest command line that is told, in bytes.
const TEXT_MAX: usize = 512;
/// Between the two readings that a rate needs.
const BETWEEN: Duration = Duration::from_secs(1);

/// The processes of a running container, as the host's `ps` sees them.
pub async fn top(engine: &Engine, asked: Inspect) -> Result<Processes, Failure> {
    let target = running(engine, &asked.container_name).await?;
    // Columns that every `ps` of the last decades has.
    let path = format!("/containers/{}/top?ps_args=-eo%20pid,user,time,args", target.id);
    let raw = engine.get(&path, &format!("list the processes of {}", target.name)).await?;
    let rows = raw.get("Processes").and_then(Value::as_array).cloned().unwrap_or_default();
    let processes = rows.iter().take(PROCESSES_MAX).map(process).collect();
    Ok(Processes {
        success: true,
        container: target.name.clone(),
        container_id: target.id.clone(),
        total: rows.len(),
        truncated: rows.len() > PROCESSES_MAX,
        processes,
    })
}

fn process(row: &Value) -> Process {
    let cells: Vec<&str> = row.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let cell = |n: usize| cells.get(n).copied().unwrap_or_default();
    Process {
        pid: cell(0).to_owned(),
        user: clean(cell(1).as_bytes(), TEXT_MAX),
        time: cell(2).to_owned(),
        command: clean(cell(3).as_bytes(), TEXT_MAX),
    }
}

/// What a running container uses: two readings of the engine, a second apart.
pub async fn stats(engine: &Engine, asked: Inspect) -> Result<Used, Failure> {
    let target = running(engine, &asked.container_name).await?;
    // `one-shot` spares the engine its own wait of two seconds.
    let path = format!("/containers/{}/stats?stream=false&one-shot=true", target.id);
    let doing = format!("read what {} uses", target.name);
    let first = engine.get(&path, &doing).await?;
    tokio::time::sleep(BETWEEN).await;
    let second = engine.get(&path, &doing).await?;
    Ok(used(&target, &first, &second))
}

async fn running(engine: &Engine, name: &str) -> Result<Target, Failure> {
    let target = engine.watched(name).await?;
    if target.switch("/State/Running") {
        return Ok(target);
    }
    Err(Failure::Conflict(format!(
        "{} is {}; only a running container has processes",
        target.name,
        target.status()
    )))
}

fn used(target: &Target, first: &Value, second: &Value) -> Used {
    let number = |raw: &Value, pointer: &str| raw.pointer(pointer).and_then(Value::as_u64);
    let grown = |pointer: &str| {
        number(second, pointer)
            .unwrap_or_default()
            .saturating_sub(number(first, pointer).unwrap_or_default())
    };
    let processors = number(second, "/cpu_stats/online_cpus").filter(|n| *n > 0).unwrap_or(1);
    let system = grown("/cpu_stats/system_cpu_usage");
    let own = grown("/cpu_stats/cpu_usage/total_usage");
    let cpu_pct =
        if system == 0 { 0.0 } else { own as f64 / system as f64 * processors as f64 * 100.0 };
    // As `docker stats` counts it: without the page cache that the kernel can drop.
    let cache = number(second, "/memory_stats/stats/total_inactive_file")
        .or_else(|| number(second, "/memory_stats/stats/inactive_file"));
    let usage = number(second, "/memory_stats/usage").unwrap_or_default();
    let sum = |field: &str| {
        let networks = second.get("networks").and_then(Value::as_object);
        let each = networks.into_iter().flatten();
        each.filter_map(|(_, n)| n.get(field).and_then(Value::as_u64)).sum()
    };
    let disk = |operation: &str| {
        let entries = second.pointer("/blkio_stats/io_service_bytes_recursive");
        let entries = entries.and_then(Value::as_array).into_iter().flatten();
        entries
            .filter(|e| {
                let op = e.get("op").and_then(Value::as_str).unwrap_or_default();
                op.eq_ignore_ascii_case(operation)
            })
            .filter_map(|e| e.get("value").and_then(Value::as_u64))
            .sum()
    };
    Used {
        success: true,
        container: target.name.clone(),
        container_id: target.id.clone(),
        timestamp: timestamp(),
        cpu_pct,
        memory: usage.checked_sub(cache.unwrap_or_default()).unwrap_or(usage),
        memory_limit: number(second, "/memory_stats/limit").unwrap_or_default(),
        pids: number(second, "/pids_stats/current").unwrap_or_default(),
        net_rx: sum("rx_bytes"),
        net_tx: sum("tx_bytes"),
        disk_read: disk("read"),
        disk_written: disk("write"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rates_and_sums_are_those_of_docker_stats() {
        let reading = |own: u64, system: u64| {
            json!({
                "cpu_stats": {"cpu_usage": {"total_usage": own}, "system_cpu_usage": system, "online_cpus": 2},
                "memory_stats": {"usage": 100, "limit": 400, "stats": {"inactive_file": 30}},
                "pids_stats": {"current": 3},
                "networks": {"a": {"rx_bytes": 5, "tx_bytes": 1}, "b": {"rx_bytes": 7, "tx_bytes": 2}},
                "blkio_stats": {"io_service_bytes_recursive": [
                    {"op": "Read", "value": 4}, {"op": "write", "value": 8}, {"op": "read", "value": 1}]},
            })
        };
        let target = Target { id: "1".to_owned(), name: "x".to_owned(), inspect: json!({}) };
        let seen = used(&target, &reading(100, 1000), &reading(600, 3000));
        assert!((seen.cpu_pct - 50.0).abs() < 1e-9, "{}", seen.cpu_pct);
        assert_eq!((seen.memory, seen.memory_limit, seen.pids), (70, 400, 3));
        assert_eq!((seen.net_rx, seen.net_tx), (12, 3));
        assert_eq!((seen.disk_read, seen.disk_written), (5, 8));
        let nothing = used(&target, &json!({}), &json!({}));
        assert!(nothing.cpu_pct.abs() < f64::EPSILON);
    }
}
