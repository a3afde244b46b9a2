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

/// Signs that the engine's events show, and those that are read out of lines; the others are
/// measured over a window of their own.
const OBSERVED: &[&str] =
    &["death", "crash_loop", "oom_kill", "unhealthy", "start_failure", "paused"];
const SAID: &[&str] =
    &["connection_refused", "fatal_signature", "error_burst", "new_template", "template_burst"];

fn seconds(faults: &[&Score]) -> Value {
    let of = |wanted: &dyn Fn(&str) -> bool| {
        let mut all: Vec<f64> =
            faults.iter().filter(|s| wanted(&s.sign)).filter_map(|s| s.seconds).collect();
        all.sort_by(f64::total_cmp);
        match (all.get(all.len() / 2), all.last()) {
            (Some(median), Some(longest)) => {
                format!("{median:.2} and {longest:.2} of {}", all.len())
            }
            _ => "none".to_owned(),
        }
    };
    json!({
        "observed": of(&|sign| OBSERVED.contains(&sign)),
        "said": of(&|sign| SAID.contains(&sign)),
        "measured": of(&|sign| !OBSERVED.contains(&sign) && !SAID.contains(&sign)),
    })
}

/// Of the diagnoses that were so sure, how many were right.
fn calibration(faults: &[&Score]) -> Value {
    let rows = [(0.0, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.0)];
    let told = rows.map(|(from, to)| {
        let among = faults.iter().filter(|s| s.confidence >= from && s.confidence < to);
        let (right, all) = among.fold((0, 0), |(right, all), s| {
            (right + usize::from(s.class_right), all + usize::from(!s.class.is_empty()))
        });
        (format!("{from:.1} to {to:.1}"), json!(format!("{right} of {all}")))
    });
    Value::Object(told.into_iter().collect())
}

fn sum(scores: &[Score], of: impl Fn(&Score) -> usize) -> usize {
    scores.iter().map(of).sum()
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
    json!({
        "detected": share(&faults, &|s| s.detected),
        "seconds to detect, median and longest": seconds(&faults),
        "class right": share(&faults, &|s| s.class_right),
        "root right": share(&faults, &|s| s.root_right),
        "evidence grounded": share(&faults, &|s| s.grounded),
        "first fix right": share(&acts, &|s| s.fix_right),
        "abstained where it must": share(&abstains, &|s| s.fix_right),
        "resolved of the fixable": share(&mends, &|s| s.resolved),
        "one incident per fault": share(&faults, &|s| s.incidents == 1),
        "regressions": faults.iter().map(|s| s.regressions).sum::<usize>(),
        "right class by confidence": calibration(&faults),
        "false incidents on controls":
            scores.iter().filter(|s| s.control).map(|s| s.incidents).sum::<usize>(),
        "model: questions, opinions, agreeing, staged, done alone":
            [sum(scores, |s| s.asked), sum(scores, |s| s.opinions), sum(scores, |s| s.agreeing),
            sum(scores, |s| s.model_staged), sum(scores, |s| s.model_alone)],
        "controls": scores.iter().filter(|s| s.control).count(),
        "cases that could not be played": scores.iter().filter(|s| s.error.is_some()).count(),
    })
}
