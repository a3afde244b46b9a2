//! Which peer a line about a failed connection names.

use std::sync::LazyLock;

use regex::Regex;

/// `172.18.0.2:5432`, `db:5432`, `http://api:3001/x`, `host=db`, `(db:5432)`.
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)(?:\b(\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?\b|\b(?:[a-z][a-z0-9+.-]*://)(?:[^\s/@]*@)?([a-z0-9][a-z0-9_.-]*)|\bhost(?:name)?["']?\s*[=:]\s*["']?([a-z0-9][a-z0-9_.-]*)|\b([a-z][a-z0-9_.-]*):\d{2,5}\b|\bENOTFOUND ([a-z0-9][a-z0-9_.-]*)|\bupstream "([a-z0-9][a-z0-9_.-]*)"|bad address '([a-z0-9][a-z0-9_.-]*)'|connect(?:ion)? (?:refused )?to ([a-z0-9][a-z0-9_.-]*)|(?:lookup|resolve|translate host name) "?([a-z0-9][a-z0-9_.-]*))"#,
    )
    .ok()
});

/// What stands before an address that is the asker's or the writer's own.
const NOT_THE_PEER: &[&str] =
    &["client: ", "client=", "server: ", "laddr=('", "laddr=(", "local=", "from "];

/// Every host name or address that the line may mean, in order of appearance, at most eight. Where
/// many containers may be behind one address, its port says which: `172.17.0.1:5432`.
pub fn candidates(text: &str) -> Vec<String> {
    let Some(pattern) = ADDRESS.as_ref() else { return Vec::new() };
    pattern
        .captures_iter(text)
        .filter_map(|found| found.iter().skip(1).flatten().next())
        .filter(|host| {
            let before = text.get(..host.start()).unwrap_or_default();
            // `/etc/nginx.conf:24` is a place in a file.
            let path = before.ends_with('/') && !before.ends_with("//");
            !path && !NOT_THE_PEER.iter().any(|word| before.ends_with(word))
        })
        .map(|host| {
            let name = host.as_str().trim_end_matches('.');
            let port = port_behind(text.get(host.end()..).unwrap_or_default());
            match port.filter(|_| is_address(name)) {
                Some(port) => format!("{name}:{port}"),
                None => name.to_owned(),
            }
        })
        .filter(|host| !host.bytes().all(|b| b.is_ascii_digit()))
        .take(8)
        .collect()
}

/// An address, or a name of the machine itself.
fn is_address(host: &str) -> bool {
    let digits = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    digits || host == "localhost" || host.ends_with(".docker.internal")
}

/// The port that follows a host.
fn port_behind(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix(':')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end).filter(|port| (1..=5).contains(&port.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_found_in_common_forms() {
        let cases = [
            ("dial tcp 10.0.0.2:5432: connect: connection refused", "10.0.0.2:5432"),
            ("Error: connect ECONNREFUSED 172.18.0.2:5432", "172.18.0.2:5432"),
            ("dial tcp 172.17.0.1: connect: connection refused", "172.17.0.1"),
            ("cannot connect to localhost:5432", "localhost:5432"),
            ("http://host.docker.internal:8080/x refused", "host.docker.internal:8080"),
            ("GET http://demo-data:9000/x: connection refused", "demo-data"),
            ("could not connect to db:5432: Connection refused", "db"),
            ("getaddrinfo ENOTFOUND cache", "cache"),
            ("postgres://app:***@db:5432/x refused", "db"),
            ("wget: bad address 'data'", "data"),
            ("host not found in upstream \"api\" in /etc/site/nginx.conf:24", "api"),
            ("wget: can't connect to remote host (10.1.2.3): Connection refused", "10.1.2.3"),
        ];
        for (text, peer) in cases {
            assert!(candidates(text).iter().any(|c| c == peer), "{text}: {:?}", candidates(text));
        }
    }

    #[test]
    fn who_asked_and_where_it_is_written_are_no_peers() {
        let cases: [(&str, &[&str]); 3] = [
            (
                "connect() failed (111: Connection refused) while connecting to upstream, client: 192.168.112.4, server: shop, request: \"GET / HTTP/1.1\", upstream: \"http://192.168.112.2:8000/\"",
                &["192.168.112.2:8000"],
            ),
            ("host not found in upstream \"api\" in /etc/site/nginx.conf:24", &["api"]),
            ("failed: <socket laddr=('172.17.0.3', 58774)> to db:5672", &["db"]),
        ];
        for (text, peers) in cases {
            assert_eq!(candidates(text), peers, "{text}");
        }
    }

    #[test]
    fn a_clock_time_is_no_peer() {
        for text in
            ["03:15:02 connection refused", "2026-11-25T22:54:48.008Z ERROR cannot reach api"]
        {
            assert_eq!(candidates(text), Vec::<String>::new(), "{text}");
        }
    }
}
