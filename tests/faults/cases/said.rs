//! What only the log tells: nothing may be changed for it.

use crate::cases::{Case, act, right};
use crate::stage::part;

/// Works, and says one thing over and over once it is told to.
macro_rules! says {
    ($name:literal, $class:literal, $line:literal) => {
        Case {
            name: $name,
            right: Some(right(&[$class], "api", None, false)),
            wait: 40,
            set: act!(|s| {
                let script = concat!(
                    "while :; do n=$((n+1)); echo \"INFO request $n served in $((n % 29 + 2)) ms\"; [ -e /fault ] && echo '",
                    $line,
                    "' >&2; sleep 0.25; done"
                );
                s.run(part("api", script)).await?;
                s.pause(4).await
            }),
            act: act!(|s| { s.touch("api").await? }),
        }
    };
}

pub const CASES: [Case; 5] = [
    says!(
        "credentials that a peer refuses",
        "credentials_rejected",
        "FATAL: password authentication failed for user \"app\""
    ),
    says!(
        "certificate out of date",
        "tls_expired",
        "ERROR tls: failed to verify certificate: x509: certificate has expired or is not yet valid"
    ),
    says!(
        "pool of connections used up",
        "pool_exhaustion",
        "FATAL: sorry, too many clients already"
    ),
    says!(
        "image that cannot be fetched",
        "image_pull_failure",
        "ERROR failed to pull image \"shop/api:9\": manifest unknown"
    ),
    says!(
        "port of its own that is taken",
        "port_conflict",
        "ERROR listen tcp 0.0.0.0:8080: bind: address already in use"
    ),
];
