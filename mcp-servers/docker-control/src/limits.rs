//! Memory and CPU limits, changed while the container runs.
//!
//! [`plan`] is pure: what is asked, what is, what the host has -> what is sent to the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use mcp_kit::engine::{Engine, WAIT};
use mcp_kit::failure::Failure;
use mcp_kit::reply::{reason, timestamp};
use mcp_kit::target::Target;
use sentinel_core::domain::container::LABEL_MAX_MEMORY;
use serde_json::{Map, Value, json};

use crate::amount::{Amount, NANOS_PER_CPU};
use crate::arguments::{Resources, Update};
use crate::results::{Limits, Updated};

/// The engine's default period of a CPU quota, in microseconds.
const CPU_PERIOD: i64 = 100_000;
/// Swap of a container whose memory had no limit, as a multiple: what the engine gives at create.
const SWAP_TIMES: i64 = 2;
/// How often the engine is asked what is in use before a limit is lowered.
const MEASURES: usize = 5;
/// The pause in between.
const BETWEEN_MEASURES: Duration = Duration::from_millis(300);

/// What bounds a limit besides the engine's own rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The host's memory in bytes; 0 if not known.
    pub host_memory: u64,
    /// The host's CPUs; 0 if not known.
    pub host_cpus: f64,
    /// What the label `sre-sentinel.max-memory` allows, in bytes.
    pub label_memory: Option<u64>,
    /// What is in use now and cannot be given back (without page cache), in bytes.
    pub used_memory: Option<u64>,
}

/// How the container is limited now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Current {
    /// The limits as they are reported.
    pub limits: Limits,
    /// Whether the CPU limit is kept as a quota; the engine refuses to mix the two forms.
    pub quota: bool,
    /// The period of that quota in microseconds.
    pub period: i64,
}

/// Works out the update that the engine gets; empty if everything holds already. Answers with
/// every mistake at once.
pub fn plan(
    asked: &Resources,
    current: Current,
    bounds: Bounds,
) -> Result<Map<String, Value>, Vec<String>> {
    let mut body = Map::new();
    let mut errors = Vec::new();
    if asked.memory.is_none() && asked.cpu.is_none() {
        errors.push("resources is empty; give memory, cpu or both".to_owned());
    }
    if let Some(memory) = &asked.memory {
        match memory_update(memory, current.limits, bounds) {
            Ok(fields) => body.extend(fields),
            Err(error) => errors.push(error),
        }
    }
    if let Some(cpu) = &asked.cpu {
        match cpu_update(cpu, current, bounds) {
            Ok(fields) => body.extend(fields),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(body) } else { Err(errors) }
}

fn memory_update(
    asked: &Amount,
    now: Limits,
    bounds: Bounds,
) -> Result<Vec<(String, Value)>, String> {
    let bytes = asked.bytes()?;
    let shown = asked.shown();
    if bounds.host_memory > 0 && bytes > bounds.host_memory {
        return Err(format!(
            "memory {shown} ({bytes} bytes) is more than the host has ({} bytes); ask for less",
            bounds.host_memory
        ));
    }
    if let Some(most) = bounds.label_memory.filter(|most| bytes > *most) {
        return Err(format!(
            "memory {shown} is above what the label {LABEL_MAX_MEMORY} allows ({most} bytes)"
        ));
    }
    if let Some(used) = bounds.used_memory.filter(|used| bytes <= *used) {
        return Err(format!(
            "memory {shown} is not above what is used now ({used} bytes); the kernel would kill it"
        ));
    }
    let memory = i64::try_from(bytes).map_err(|_| format!("memory {shown} is too large"))?;
    if memory == now.memory {
        return Ok(Vec::new());
    }
    let swap = match (now.memory_swap, now.memory) {
        // No limit on swap stays so.
        (-1, _) => -1,
        // None was ever set.
        (0, _) | (_, 0) => memory.saturating_mul(SWAP_TIMES),
        (swap, old) => memory.saturating_add(swap.saturating_sub(old).max(0)),
    };
    Ok(vec![("Memory".to_owned(), json!(memory)), ("MemorySwap".to_owned(), json!(swap))])
}

fn cpu_update(
    asked: &Amount,
    current: Current,
    bounds: Bounds,
) -> Result<Vec<(String, Value)>, String> {
    let cpus = asked.cpus()?;
    if bounds.host_cpus > 0.0 && cpus > bounds.host_cpus {
        return Err(format!(
            "cpu {} is more than the host has ({} CPUs)",
            asked.shown(),
            bounds.host_cpus
        ));
    }
    if (cpus - current.limits.cpu).abs() < 1e-6 {
        return Ok(Vec::new());
    }
    Ok(if current.quota {
        let quota = whole(cpus * current.period as f64);
        vec![("CpuQuota".to_owned(), json!(quota)), ("CpuPeriod".to_owned(), json!(current.period))]
    } else {
        vec![("NanoCpus".to_owned(), json!(whole(cpus * NANOS_PER_CPU)))]
    })
}

#[expect(clippy::cast_possible_truncation, reason = "at most the host's CPUs in billionths")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

/// Reads how a container is limited.
pub fn current(target: &Target) -> Current {
    let nanos = target.number("/HostConfig/NanoCpus");
    let quota = target.number("/HostConfig/CpuQuota");
    let period = match target.number("/HostConfig/CpuPeriod") {
        0 => CPU_PERIOD,
        period => period,
    };
    let cpu = if nanos > 0 {
        nanos as f64 / NANOS_PER_CPU
    } else if quota > 0 {
        quota as f64 / period as f64
    } else {
        0.0
    };
    let limits = Limits {
        memory: target.number("/HostConfig/Memory"),
        memory_swap: target.number("/HostConfig/MemorySwap"),
        cpu,
    };
    Current { limits, quota: nanos == 0 && quota > 0, period }
}

/// Changes the limits. Mistakes in them come back all at once, in `errors` and in `error`.
pub async fn update(engine: &Engine, asked: Update) -> Result<Updated, Failure> {
    let name = &asked.container_name;
    let target =
        engine.changeable("update_resources", name, asked.expect_started_at.as_deref()).await?;
    let before = current(&target);
    let bounds = bounds(engine, &target, &asked.resources, before.limits).await?;
    let mut answer = Updated {
        success: true,
        message: String::new(),
        updates: shown(&asked.resources),
        previous: before.limits,
        new: before.limits,
        errors: Vec::new(),
        error: None,
        code: None,
        warnings: Vec::new(),
        changed: false,
        container: target.name.clone(),
        container_id: target.id.clone(),
        reason: reason(asked.reason.as_deref()),
        timestamp: timestamp(),
    };
    let body = match plan(&asked.resources, before, bounds) {
        Ok(body) => body,
        Err(errors) => {
            answer.success = false;
            answer.message = format!("the limits of {} were not changed", target.name);
            answer.error = Some(format!("{}: {}", answer.message, errors.join("; ")));
            answer.code = Some("invalid_arguments".to_owned());
            answer.errors = errors;
            return Ok(answer);
        }
    };
    if body.is_empty() {
        answer.message = format!("{} has these limits already; nothing was changed", target.name);
        return Ok(answer);
    }
    let doing = format!("change the limits of {}", target.name);
    let path = format!("/containers/{}/update", target.id);
    let reply = engine.post(&path, Some(&Value::Object(body)), WAIT, &doing).await?;
    answer.warnings = reply
        .get("Warnings")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter_map(Value::as_str).map(mcp_kit::text::line).collect())
        .unwrap_or_default();
    answer.new = current(&engine.inspect(&target.id).await?).limits;
    answer.changed = true;
    answer.message = format!("the limits of {} were changed", target.name);
    Ok(answer)
}

fn shown(resources: &Resources) -> BTreeMap<String, String> {
    [("memory", &resources.memory), ("cpu", &resources.cpu)]
        .into_iter()
        .filter_map(|(name, amount)| {
            let amount = amount.as_ref()?;
            Some((name.to_owned(), mcp_kit::text::line(&amount.shown())))
        })
        .collect()
}

async fn bounds(
    engine: &Engine,
    target: &Target,
    asked: &Resources,
    now: Limits,
) -> Result<Bounds, Failure> {
    let host = engine.get("/info", "say what the host has").await?;
    let label = match target.label(LABEL_MAX_MEMORY) {
        None => None,
        Some(text) => Some(Amount::Text(text.to_owned()).bytes().map_err(|why| {
            Failure::Conflict(format!(
                "the label {LABEL_MAX_MEMORY} of {} cannot be read: {why}",
                target.name
            ))
        })?),
    };
    // Only lowering asks what is in use.
    let lowers = asked.memory.as_ref().and_then(|m| m.bytes().ok()).is_some_and(|bytes| {
        now.memory == 0 || i64::try_from(bytes).is_ok_and(|bytes| bytes < now.memory)
    });
    let used = if lowers && target.switch("/State/Running") {
        Some(used_memory(engine, target).await?)
    } else {
        None
    };
    Ok(Bounds {
        host_memory: host.get("MemTotal").and_then(Value::as_u64).unwrap_or_default(),
        host_cpus: host.get("NCPU").and_then(Value::as_f64).unwrap_or_default(),
        label_memory: label,
        used_memory: used,
    })
}

/// Memory that the container holds, without the page cache that the kernel gives back. An engine
/// under load may answer without a measurement; one that never measures makes lowering unsafe.
async fn used_memory(engine: &Engine, target: &Target) -> Result<u64, Failure> {
    let doing = format!("measure the memory of {}", target.name);
    let path = format!("/containers/{}/stats?stream=false&one-shot=true", target.id);
    for attempt in 0..MEASURES {
        if attempt > 0 {
            tokio::time::sleep(BETWEEN_MEASURES).await;
        }
        if let Some(used) = held(&engine.get(&path, &doing).await?) {
            return Ok(used);
        }
    }
    Err(Failure::Conflict(format!(
        "the engine does not say how much memory {} uses, so a lower limit could kill it; nothing was changed",
        target.name
    )))
}

/// What a stats answer says is held; `None` if it holds no measurement (a process uses some).
fn held(stats: &Value) -> Option<u64> {
    let number = |pointer: &str| stats.pointer(pointer).and_then(Value::as_u64);
    let usage = number("/memory_stats/usage").filter(|usage| *usage > 0)?;
    let cache = number("/memory_stats/stats/total_inactive_file")
        .or_else(|| number("/memory_stats/stats/inactive_file"))
        .unwrap_or_default();
    Some(usage.saturating_sub(cache))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: i64 = 1 << 20;

    fn limited(memory: i64, swap: i64, cpu: f64) -> Current {
        Current {
            limits: Limits { memory: memory * MIB, memory_swap: swap, cpu },
            quota: false,
            period: CPU_PERIOD,
        }
    }

    fn host() -> Bounds {
        Bounds { host_memory: 8 << 30, host_cpus: 4.0, label_memory: None, used_memory: None }
    }

    fn asked(memory: Option<&str>, cpu: Option<f64>) -> Resources {
        Resources {
            memory: memory.map(|m| Amount::Text(m.to_owned())),
            cpu: cpu.map(Amount::Number),
        }
    }

    #[test]
    fn swap_moves_with_memory() {
        let cases = [
            // (current swap, expected swap) for 256m -> 512m
            (512 * MIB, 768 * MIB),
            (256 * MIB, 512 * MIB),
            (-1, -1),
            (0, 1024 * MIB),
        ];
        for (swap, expected) in cases {
            let body = plan(&asked(Some("512m"), None), limited(256, swap, 0.0), host()).unwrap();
            assert_eq!(body["Memory"], json!(512 * MIB));
            assert_eq!(body["MemorySwap"], json!(expected), "swap was {swap}");
        }
        let body = plan(&asked(Some("512m"), None), limited(0, 0, 0.0), host()).unwrap();
        assert_eq!(body["MemorySwap"], json!(1024 * MIB));
    }

    #[test]
    fn what_holds_already_sends_nothing() {
        let body = plan(&asked(Some("256m"), Some(0.5)), limited(256, -1, 0.5), host()).unwrap();
        assert!(body.is_empty());
    }

    #[test]
    fn a_quota_stays_a_quota() {
        let current = Current { quota: true, ..limited(0, 0, 0.5) };
        let body = plan(&asked(None, Some(1.5)), current, host()).unwrap();
        assert_eq!(body["CpuQuota"], json!(150_000));
        assert!(!body.contains_key("NanoCpus"));
    }

    #[test]
    fn every_mistake_is_named() {
        let errors =
            plan(&asked(Some("9000g"), Some(64.0)), limited(256, -1, 0.0), host()).unwrap_err();
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert_eq!(
            errors[0],
            "memory 9000g (9663676416000 bytes) is more than the host has (8589934592 bytes); ask for less"
        );
        let nothing = plan(&asked(None, None), limited(256, -1, 0.0), host()).unwrap_err();
        assert!(nothing[0].contains("empty"), "{nothing:?}");
    }

    #[test]
    fn no_measurement_is_not_read_as_no_use() {
        for empty in [json!({}), json!({"memory_stats": {}}), json!({"memory_stats": {"usage": 0}})]
        {
            assert_eq!(held(&empty), None, "{empty}");
        }
        let old = json!({"memory_stats": {"usage": 90, "stats": {"total_inactive_file": 20}}});
        let new = json!({"memory_stats": {"usage": 90, "stats": {"inactive_file": 30}}});
        assert_eq!((held(&old), held(&new)), (Some(70), Some(60)));
    }

    #[test]
    fn a_limit_below_use_or_above_the_label_is_refused() {
        let used = Bounds { used_memory: Some(100 << 20), ..host() };
        let errors = plan(&asked(Some("64m"), None), limited(256, -1, 0.0), used).unwrap_err();
        assert!(errors[0].contains("used now"), "{errors:?}");
        let label = Bounds { label_memory: Some(300 << 20), ..host() };
        let errors = plan(&asked(Some("512m"), None), limited(256, -1, 0.0), label).unwrap_err();
        assert!(errors[0].contains("sre-sentinel.max-memory"), "{errors:?}");
    }
}
