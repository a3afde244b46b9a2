//! Why a call was refused or failed.

use thiserror::Error;

/// What a tool answers instead of a result. The text says what failed, on what, and what to do;
/// [`Failure::code`] is for programs.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// The arguments are not what the tool's schema asks for.
    #[error("{0}")]
    Invalid(String),
    /// The engine did not answer.
    #[error(
        "the Docker engine at {endpoint} cannot be reached: {reason}; check that it runs and that DOCKER_HOST is right"
    )]
    Unreachable {
        /// Where it was looked for.
        endpoint: String,
        /// What went wrong.
        reason: String,
    },
    /// The engine refused or failed a request.
    #[error("the Docker engine could not {doing}: {reason}")]
    Engine {
        /// What was asked of it: "restart demo-api".
        doing: String,
        /// The status of its answer, if there was one.
        status: Option<u16>,
        /// What it said.
        reason: String,
    },
    /// No such container.
    #[error("there is no container {0}; give its name or at least 12 characters of its id")]
    Unknown(String),
    /// It did not opt in.
    #[error(
        "{0} is not watched: it lacks the label sre-sentinel.monitor=true (sentinel-tui --all lifts this)"
    )]
    NotWatched(String),
    /// It is one of sentinel-tui's own containers.
    #[error("{0} belongs to sentinel-tui itself and is never a target")]
    Own(String),
    /// It is a container that a recreate keeps or prepares.
    #[error(
        "{0} is kept aside by a recreate and is never a target; use the container it stands for"
    )]
    Aside(String),
    /// It was started at another time than the caller believes.
    #[error(
        "stale: {container} was started at {actual}, not at {expected}; look again before acting"
    )]
    Stale {
        /// Which container.
        container: String,
        /// What the caller believes.
        expected: String,
        /// What the engine says.
        actual: String,
    },
    /// The caller believes that it runs, and it does not.
    #[error(
        "stale: {container} is {status} by now, and the decision was made for a running one; look again before acting"
    )]
    NotRunning {
        /// Which container.
        container: String,
        /// The engine's word for its state.
        status: String,
    },
    /// Nothing may be changed.
    #[error("{0} changes something, and this server is read-only")]
    ReadOnly(String),
    /// The container's state does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// It took too long.
    #[error("{0}")]
    Timeout(String),
    /// It was tried, failed, and what was before stands again (the text says so otherwise).
    #[error("{0}")]
    RolledBack(String),
    /// Something on this machine failed: a file, a lock.
    #[error("{0}")]
    Local(String),
}

impl Failure {
    /// A word for programs; stable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_arguments",
            Self::Unreachable { .. } => "engine_unreachable",
            Self::Engine { .. } => "engine_error",
            Self::Unknown(_) => "not_found",
            Self::NotWatched(_) => "not_watched",
            Self::Own(_) => "own_container",
            Self::Aside(_) => "kept_aside",
            Self::Stale { .. } | Self::NotRunning { .. } => "stale",
            Self::ReadOnly(_) => "read_only",
            Self::Conflict(_) => "conflict",
            Self::Timeout(_) => "timeout",
            Self::RolledBack(_) => "rolled_back",
            Self::Local(_) => "local_error",
        }
    }

    /// The engine's status, where it answered with one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Engine { status, .. } => *status,
            _ => None,
        }
    }

    /// Words a failed engine request; what the engine says is made safe to show.
    pub fn engine(doing: &str, error: &bollard::errors::Error) -> Self {
        let (status, reason) = match error {
            bollard::errors::Error::DockerResponseServerError { status_code, message } => {
                (Some(*status_code), message.clone())
            }
            other => (None, other.to_string()),
        };
        Self::Engine { doing: doing.to_owned(), status, reason: crate::text::line(&reason) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_says_is_redacted() {
        let error = bollard::errors::Error::DockerResponseServerError {
            status_code: 409,
            message: "cannot reach postgres://app:hunter2@db/x".to_owned(),
        };
        let failure = Failure::engine("start api", &error);
        assert_eq!(failure.status(), Some(409));
        let text = failure.to_string();
        assert!(text.contains("start api") && !text.contains("hunter2"), "{text}");
    }
}
