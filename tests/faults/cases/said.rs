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

/// Errors far above the few that it always writes; what it is cannot be known from outside.
const BURST: Case = Case {
    name: "errors that burst",
    right: Some(right(&["error_burst", "new_error"], "api", None, false)),
    wait: 60,
    set: act!(|s| {
        let script = "while :; do n=$((n+1)); echo \"INFO request $n served in $((n % 29 + 2)) ms\"; [ $((n % 40)) = 0 ] && echo \"ERROR cart $n is not there\" >&2; [ -e /fault ] && for i in 1 2 3 4 5 6; do echo \"ERROR page $n$i could not be rendered: template has no part 'price'\" >&2; done; sleep 0.2; done";
        s.run(part("api", script)).await?
    }),
    act: act!(|s| {
        // What is usual is learned for half a minute.
        s.pause(33).await;
        s.touch("api").await?;
    }),
};

pub const CASES: [Case; 6] = [
    BURST,
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
