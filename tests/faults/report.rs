//! The scoreboard: a row per case, the totals, and the same as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::score::Score;

fn mark(good: bool) -> &'static str {
    if good { "yes" } else { "NO" }
}

/// The table, for people.
pub fn table(scores: &[Score]) -> String {
    let mut out = format!(
        "{:<50} {:>8} {:>7} {:<17} {:<5} {:<5} {:<5} {:<9} {:>9}\n",
        "case", "detected", "seconds", "class", "right", "root", "fix", "resolved", "incidents"
    );
    for s in scores {
        let seconds = s.seconds.map_or_else(|| "-".to_owned(), |n| format!("{n:.1}"));
        let row = if let Some(error) = &s.error {
            format!("{:<50} FAILED: {error}", s.name)
        } else if s.control {
            format!("{:<50} {:>8} {:>7} {:>64}", s.name, "control", "", s.incidents)
        } else {
            format!(
                "{:<50} {:>8} {:>7} {:<17} {:<5} {:<5} {:<5} {:<9} {:>9}",
                s.name,
                mark(s.detected),
                seconds,
                s.class,
                mark(s.class_right),
                mark(s.root_right),
                mark(s.fix_right),
                if s.mends { mark(s.resolved) } else { "-" },
                s.incidents
            )
        };
        out.push_str(row.trim_end());
        out.push('\n');
    }
    let totals = totals(scores);
    if let Some(totals) = totals.as_object() {
        for (name, value) in totals {
            // Writing to a String cannot fail.
            let _infallible = writeln!(out, "{name:<28} {value}");
        }
    }
    out
}

/// The totals by name.
pub fn totals(scores: &[Score]) -> Value {
    let faults: Vec<&Score> = scores.iter().filter(|s| !s.control).collect();
    let share = |of: &[&Score], good: &dyn Fn(&Score) -> bool| {
        let hits = of.iter().filter(|s| good(s)).count();
        format!("{hits} of {}", of.len())
    };
    let mends: Vec<&Score> = faults.iter().copied().filter(|s| s.mends).collect();
    let abstains: Vec<&Score> = faults.iter().copied().filter(|s| s.abstains).collect();
    let acts: Vec<&Score> = faults.iter().copied().filter(|s| !s.abstains).collect();
    let mut seconds: Vec<f64> = faults.iter().filter_map(|s| s.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    let sure: Vec<&Score> = faults.iter().copied().filter(|s| s.confidence >= 0.9).collect();
    json!({
        "detected": share(&faults, &|s| s.detected),
        "median seconds to detect": seconds.get(seconds.len() / 2),
        "class right": share(&faults, &|s| s.class_right),
        "root right": share(&faults, &|s| s.root_right),
        "evidence grounded": share(&faults, &|s| s.grounded),
        "first fix right": share(&acts, &|s| s.fix_right),
        "abstained where it must": share(&abstains, &|s| s.fix_right),
        "resolved of the fixable": share(&mends, &|s| s.resolved),
        "one incident per fault": share(&faults, &|s| s.incidents == 1),
        "regressions": faults.iter().map(|s| s.regressions).sum::<usize>(),
        "right class at confidence 0.9": share(&sure, &|s| s.class_right),
        "false incidents on controls":
            scores.iter().filter(|s| s.control).map(|s| s.incidents).sum::<usize>(),
        "controls": scores.iter().filter(|s| s.control).count(),
        "cases that could not be played": scores.iter().filter(|s| s.error.is_some()).count(),
    })
}
