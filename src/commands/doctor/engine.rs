//! The engine: reached how, which version, whose clock, where readings come from.

use sentinel_core::domain::finding::Finding;

use crate::app::{self, AppError};
use crate::config::Settings;
use crate::config::engine::Endpoint;
use crate::monitor::survey::Survey;

/// The oldest API that is spoken (Docker 19.03).
const OLDEST: (u32, u32) = (1, 40);
/// Clocks that differ by more than this make times in logs and events hard to compare.
const SKEW_SECONDS: i64 = 2;

pub(super) async fn examine(settings: &Settings) -> Vec<Finding> {
    match app::survey(settings).await {
        Ok((endpoint, survey)) => vec![
            reached(&endpoint, &survey),
            version(&survey),
            clock(&survey),
            readings(&endpoint, &survey),
        ],
        Err(error) => vec![unreached(&error)],
    }
}

/// The errors themselves say what to do; what stands behind the first line is that.
fn unreached(error: &AppError) -> Finding {
    let words = error.to_string();
    let (detail, remedy) = words.split_once('\n').unwrap_or((
        words.as_str(),
        "start Docker, or name the engine with --host or DOCKER_HOST; without one, `sentinel-tui demo --simulated` shows the program",
    ));
    Finding::broken("engine", detail, &remedy.replace('\n', " "))
}

fn reached(endpoint: &Endpoint, survey: &Survey) -> Finding {
    let words = endpoint.words();
    let detail = format!("{} at {words}, {} containers", survey.engine.name, survey.containers);
    let plain = endpoint.url.starts_with("tcp://") && endpoint.tls.is_none();
    if plain && !endpoint.url.contains("127.0.0.1") && !endpoint.url.contains("localhost") {
        return Finding::doubtful(
            "engine",
            format!("{detail}, without TLS"),
            "whoever reaches that port controls the machine: use TLS (DOCKER_CERT_PATH) or a forwarded socket",
        );
    }
    Finding::fine("engine", detail)
}

fn version(survey: &Survey) -> Finding {
    let engine = &survey.engine;
    let detail = format!("Docker {}, API {}", engine.version, engine.api);
    let number = |text: &str| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    };
    match number(&engine.api) {
        Some(api) if api >= OLDEST => Finding::fine("API", detail),
        Some(_) => Finding::doubtful(
            "API",
            detail,
            "older than 1.40 was never tried: update the engine if something looks wrong",
        ),
        None => Finding::doubtful("API", detail, "the engine does not tell its API version"),
    }
}

fn clock(survey: &Survey) -> Finding {
    let ahead = survey.ahead.as_secs();
    if ahead.abs() <= SKEW_SECONDS {
        return Finding::fine("clock", "the engine's and ours agree");
    }
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    Finding::doubtful(
        "clock",
        format!("the engine's is {} s {way} ours", ahead.abs()),
        "set both by NTP: ages and times on the screen are off by that much",
    )
}

fn readings(endpoint: &Endpoint, survey: &Survey) -> Finding {
    let theirs = match survey.cgroups.as_str() {
        "" => String::new(),
        version => format!(" (the engine uses version {version})"),
    };
    if !endpoint.url.starts_with("unix://") {
        let detail = format!("through the engine, one request for each container{theirs}");
        return Finding::fine("readings", detail);
    }
    match &survey.readable {
        Ok(version) => Finding::fine(
            "readings",
            format!(
                "from this machine's control groups {version}, the engine is not asked{theirs}"
            ),
        ),
        Err(why) => Finding::doubtful(
            "readings",
            format!("through the engine: {why}{theirs}"),
            "works, and costs the engine more; in a container, mount /sys/fs/cgroup and /proc read only",
        ),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use sentinel_core::domain::finding::Verdict;
    use sentinel_core::domain::snapshot::EngineInfo;

    use super::*;

    fn survey(api: &str, ahead: i64) -> Survey {
        Survey {
            engine: EngineInfo { api: api.to_owned(), ..EngineInfo::default() },
            ahead: SignedDuration::from_secs(ahead),
            cgroups: "2".to_owned(),
            readable: Err("no such file".to_owned()),
            root: String::new(),
            containers: 3,
        }
    }

    fn endpoint(url: &str) -> Endpoint {
        Endpoint { url: url.to_owned(), source: "--host".to_owned(), tls: None }
    }

    #[test]
    fn what_is_worth_knowing_is_doubtful_and_says_what_to_do() {
        let doubtful = [
            version(&survey("1.24", 0)),
            version(&survey("", 0)),
            clock(&survey("1.41", -7)),
            readings(&endpoint("unix:///run/docker.sock"), &survey("1.41", 0)),
            reached(&endpoint("tcp://10.0.0.7:2375"), &survey("1.41", 0)),
        ];
        for finding in doubtful {
            assert_eq!(finding.verdict, Verdict::Doubtful, "{finding:?}");
            assert!(finding.remedy.is_some(), "{finding:?}");
        }
        let fine = [
            version(&survey("1.40", 0)),
            version(&survey("2.0", 0)),
            clock(&survey("1.41", 2)),
            reached(&endpoint("tcp://127.0.0.1:2375"), &survey("1.41", 0)),
            readings(&endpoint("tcp://127.0.0.1:2375"), &survey("1.41", 0)),
        ];
        for finding in fine {
            assert_eq!(finding.verdict, Verdict::Fine, "{finding:?}");
        }
    }

    #[test]
    fn an_engine_that_is_not_there_is_broken_with_a_way_out() {
        let error = AppError::Unreachable(crate::ports::PortError("nobody answers".to_owned()));
        let finding = unreached(&error);
        assert_eq!((finding.verdict, finding.detail.as_str()), (Verdict::Broken, "nobody answers"));
        assert!(finding.remedy.unwrap().contains("--host"));
    }
}
