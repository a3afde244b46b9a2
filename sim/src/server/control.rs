//! `/sim/…`: how a simulation is steered from outside. No real engine has this.

use std::time::Duration;

use hyper::Method;
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::process::Fault;
use crate::refused::Refused;
use crate::scenario;
use crate::server::answer::Answer;
use crate::server::asked::Asked;
use crate::switches::Switch;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pace {
    factor: Option<f64>,
    ahead_seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Away {
    seconds: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Say {
    #[serde(default)]
    error: bool,
    lines: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    keep: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inject {
    fault: Fault,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Break {
    scenario: scenario::Breakage,
}

pub(super) fn route(asked: &Asked) -> Result<Answer, Refused> {
    let Asked { engine, method, path, body, .. } = asked;
    let pieces: Vec<&str> = path.iter().map(String::as_str).collect();
    let done = |()| Answer::Empty(204);
    match (method, pieces.as_slice()) {
        (&Method::GET, ["sim", "state"]) => {
            let factor = engine.clock().factor();
            Ok(Answer::ok(&engine.look(|world| {
                let running = world.containers().filter(|(_, c)| c.is_up()).count();
                json!({
                    "now": world.now.to_string(), "factor": factor,
                    "containers": world.count(), "running": running,
                })
            })))
        }
        (&Method::POST, ["sim", "clock"]) => {
            let pace: Pace = read(body)?;
            if let Some(factor) = pace.factor {
                engine.set_pace(factor);
            }
            if let Some(seconds) = pace.ahead_seconds {
                engine.jump(SignedDuration::from_secs(seconds));
            }
            Ok(Answer::Empty(204))
        }
        (&Method::POST, ["sim", "switches"]) => {
            let switch: Switch = read(body)?;
            if engine.switch_on(switch) {
                Ok(Answer::Empty(204))
            } else {
                Err(Refused::conflict("too many switches are on: turn them off first"))
            }
        }
        (&Method::DELETE, ["sim", "switches"]) => {
            engine.switches_off();
            Ok(Answer::Empty(204))
        }
        (&Method::POST, ["sim", "daemon", "restart"]) => {
            let away: Away = read(body)?;
            let away = Duration::try_from_secs_f64(away.seconds.min(3600.0))
                .map_err(|e| Refused::bad(e.to_string()))?;
            engine.restart_daemon(away);
            Ok(Answer::Empty(204))
        }
        (&Method::POST, ["sim", "break"]) => {
            let wanted: Break = read(body)?;
            engine.change(|world| scenario::break_world(world, wanted.scenario)).map(done)
        }
        (&Method::POST, ["sim", "containers", id, "fault"]) => {
            let inject: Inject = read(body)?;
            engine.change(|world| world.inject(id, inject.fault)).map(done)
        }
        (&Method::POST, ["sim", "containers", id, "die"]) => {
            engine.change(|world| world.kill_from_outside(id)).map(done)
        }
        (&Method::POST, ["sim", "containers", id, "say"]) => {
            let say: Say = read(body)?;
            engine.change(|world| world.say(id, say.error, &say.lines)).map(done)
        }
        (&Method::POST, ["sim", "containers", id, "rotate"]) => {
            let rotate: Rotate = read(body)?;
            engine.change(|world| world.rotate_log(id, rotate.keep)).map(done)
        }
        _ => Err(Refused::missing("page not found")),
    }
}

fn read<T: DeserializeOwned>(body: &Value) -> Result<T, Refused> {
    T::deserialize(body).map_err(|e| Refused::bad(format!("invalid JSON: {e}")))
}
