//! Known failure signatures in log lines: what each means is decided here, once.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use crate::domain::failure::FailureClass;
use crate::domain::severity::Severity;

/// One signature.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// Its name, as shown and as diagnosis knows it.
    pub name: &'static str,
    /// The class that it points to.
    pub class: FailureClass,
    /// How bad a single line is.
    pub severity: Severity,
    /// What matches, case-insensitive, linear time.
    pub pattern: &'static str,
    /// What it says in words.
    pub words: &'static str,
}

/// In order of weight: the first that matches a line names it.
pub const SIGNATURES: &[Signature] = &[
    Signature {
        name: "connection_refused",
        class: FailureClass::DependencyDown,
        severity: Severity::Medium,
        pattern: r"connection refused|econnrefused|no route to host|ehostunreach|host is unreachable|connect: network is unreachable",
        words: "cannot connect to a peer",
    },
    Signature {
        name: "dns_failure",
        class: FailureClass::DnsFailure,
        severity: Severity::Medium,
        pattern: r"enotfound|eai_again|no such host|name or service not known|temporary failure in name resolution|could not translate host name|bad address '",
        words: "cannot resolve a name",
    },
    Signature {
        name: "credentials_rejected",
        class: FailureClass::CredentialsRejected,
        severity: Severity::Medium,
        pattern: r"password authentication failed|access denied for user|authentication failed|wrongpass|noauth authentication required|invalid credentials",
        words: "a peer refused its credentials",
    },
    Signature {
        name: "missing_config",
        class: FailureClass::BadConfig,
        severity: Severity::High,
        pattern: r"(?:environment variable|env var|setting|config(?:uration)?(?: key| option)?)\b.{0,60}\b(?:is required|required|not set|missing|undefined|must be set|is invalid|invalid)|missing required (?:environment variable|env|setting|config)|keyerror: '[A-Z_]+'|invalid configuration",
        words: "a setting is missing or invalid",
    },
    Signature {
        name: "port_in_use",
        class: FailureClass::PortConflict,
        severity: Severity::High,
        pattern: r"eaddrinuse|address already in use|port is already allocated",
        words: "a port is taken",
    },
    Signature {
        name: "out_of_memory",
        class: FailureClass::OomKill,
        severity: Severity::High,
        pattern: r"java\.lang\.outofmemoryerror|heap out of memory|cannot allocate memory|memoryerror$|out of memory",
        words: "the process ran out of memory",
    },
    Signature {
        name: "disk_full",
        class: FailureClass::DiskFull,
        severity: Severity::High,
        pattern: r"no space left on device|enospc|disk quota exceeded",
        words: "a file system is full",
    },
    Signature {
        name: "read_only",
        class: FailureClass::ReadOnlyFs,
        severity: Severity::Medium,
        pattern: r"read-only file system|erofs",
        words: "a file system is read-only",
    },
    Signature {
        name: "too_many_files",
        class: FailureClass::FdExhaustion,
        severity: Severity::High,
        pattern: r"too many open files|emfile|enfile",
        words: "it ran out of file descriptors",
    },
    Signature {
        name: "no_more_processes",
        class: FailureClass::PidLimit,
        severity: Severity::High,
        pattern: r"resource temporarily unavailable.{0,40}(?:fork|thread|clone)|(?:fork|clone|pthread_create).{0,40}resource temporarily unavailable|cannot fork|can't fork",
        words: "it ran out of processes",
    },
    Signature {
        name: "pool_exhausted",
        class: FailureClass::PoolExhaustion,
        severity: Severity::Medium,
        pattern: r"too many clients already|remaining connection slots are reserved|connection pool (?:is )?exhausted|pool timeout|timed? ?out waiting for (?:a )?connection from (?:the )?pool",
        words: "a connection pool is used up",
    },
    Signature {
        name: "permission_denied",
        class: FailureClass::PermissionDenied,
        severity: Severity::Medium,
        pattern: r"permission denied|eacces|operation not permitted",
        words: "it may not use something that it needs",
    },
    Signature {
        name: "tls_invalid",
        class: FailureClass::TlsExpired,
        severity: Severity::Medium,
        pattern: r"certificate has expired|certificate is not yet valid|x509: certificate has expired",
        words: "a certificate is not valid",
    },
    Signature {
        name: "native_crash",
        class: FailureClass::NativeCrash,
        severity: Severity::High,
        pattern: r"segmentation fault|sigsegv|sigabrt|core dumped",
        words: "native code crashed",
    },
    Signature {
        name: "panic",
        class: FailureClass::NewError,
        severity: Severity::Medium,
        pattern: r"^panic: |^fatal error: |thread '[^']*' (?:\(\d+\) )?panicked at|unhandled(?: promise)? (?:rejection|exception)|uncaught exception|^traceback \(most recent call last\)",
        words: "the program gave up",
    },
    Signature {
        name: "cannot_execute",
        class: FailureClass::StartFailure,
        severity: Severity::High,
        pattern: r"exec format error|exec: .{0,80}not found|no such file or directory: unknown",
        words: "the command cannot be executed",
    },
];

static SET: LazyLock<Option<RegexSet>> =
    LazyLock::new(|| RegexSet::new(SIGNATURES.iter().map(|s| format!("(?i){}", s.pattern))).ok());

/// A cheap look that spares most lines the signatures: each of them needs one of these words.
static TRIGGER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)refused|unreachable|no route to|ehostunreach|enotfound|eai_again|no such|not known|name resolution|host name|bad address|authentication|denied|wrongpass|credentials|environment|env|setting|config|keyerror|in use|eaddrinuse|allocated|memory|no space|enospc|quota|read-only|erofs|emfile|enfile|too many|temporarily|fork|slots|pool|eacces|not permitted|certificate|segmentation|sigsegv|sigabrt|core dumped|panic|fatal error|unhandled|uncaught|traceback|exec",
    )
    .ok()
});

/// Lines that say that all is well although they name an error.
static BENIGN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:err|error)=(?:nil|null|none|<nil>)|\b0 (?:errors|failed|failures)\b").ok()
});

/// The first signature that matches, if any.
pub fn of(text: &str) -> Option<&'static Signature> {
    if TRIGGER.as_ref().is_some_and(|t| !t.is_match(text)) {
        return None;
    }
    let first = SET.as_ref()?.matches(text).into_iter().next()?;
    if BENIGN.as_ref().is_some_and(|r| r.is_match(text)) {
        return None;
    }
    SIGNATURES.get(first)
}

/// A signature by its name.
pub fn named(name: &str) -> Option<&'static Signature> {
    SIGNATURES.iter().find(|s| s.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signature_is_found_and_named() {
        assert!(SET.is_some());
        let cases = [
            ("dial tcp 10.0.0.2:5432: connect: connection refused", "connection_refused"),
            ("Error: connect ECONNREFUSED 172.18.0.2:5432", "connection_refused"),
            ("getaddrinfo ENOTFOUND db", "dns_failure"),
            ("FATAL: password authentication failed for user \"app\"", "credentials_rejected"),
            ("environment variable DATABASE_URL is required", "missing_config"),
            ("KeyError: 'DATABASE_URL'", "missing_config"),
            ("listen tcp :80: bind: address already in use", "port_in_use"),
            ("java.lang.OutOfMemoryError: Java heap space", "out_of_memory"),
            ("write /data/x: no space left on device", "disk_full"),
            ("open /x: read-only file system", "read_only"),
            ("accept: too many open files", "too_many_files"),
            ("sh: can't fork: Resource temporarily unavailable", "no_more_processes"),
            ("FATAL: sorry, too many clients already", "pool_exhausted"),
            ("open /data: permission denied", "permission_denied"),
            ("x509: certificate has expired or is not yet valid", "tls_invalid"),
            ("Segmentation fault (core dumped)", "native_crash"),
            ("panic: runtime error: nil pointer", "panic"),
            ("exec /app: exec format error", "cannot_execute"),
            // One line per branch of every pattern: the trigger must know each of them.
            ("no route to host", "connection_refused"),
            ("EHOSTUNREACH", "connection_refused"),
            ("wget: host is unreachable", "connection_refused"),
            ("connect: network is unreachable", "connection_refused"),
            ("EAI_AGAIN", "dns_failure"),
            ("lookup db: no such host", "dns_failure"),
            ("Name or service not known", "dns_failure"),
            ("Temporary failure in name resolution", "dns_failure"),
            ("could not translate host name \"db\"", "dns_failure"),
            ("wget: bad address 'db'", "dns_failure"),
            ("Access denied for user 'x'", "credentials_rejected"),
            ("WRONGPASS invalid", "credentials_rejected"),
            ("NOAUTH Authentication required", "credentials_rejected"),
            ("invalid credentials", "credentials_rejected"),
            ("setting X missing", "missing_config"),
            ("env var X must be set", "missing_config"),
            ("missing required config", "missing_config"),
            ("invalid configuration", "missing_config"),
            ("EADDRINUSE", "port_in_use"),
            ("port is already allocated", "port_in_use"),
            ("heap out of memory", "out_of_memory"),
            ("Cannot allocate memory", "out_of_memory"),
            ("MemoryError", "out_of_memory"),
            ("ENOSPC", "disk_full"),
            ("Disk quota exceeded", "disk_full"),
            ("EROFS", "read_only"),
            ("EMFILE", "too_many_files"),
            ("ENFILE", "too_many_files"),
            ("pthread_create: Resource temporarily unavailable", "no_more_processes"),
            ("cannot fork", "no_more_processes"),
            ("remaining connection slots are reserved", "pool_exhausted"),
            ("connection pool exhausted", "pool_exhausted"),
            ("timed out waiting for a connection from the pool", "pool_exhausted"),
            ("EACCES", "permission_denied"),
            ("operation not permitted", "permission_denied"),
            ("certificate is not yet valid", "tls_invalid"),
            ("SIGSEGV", "native_crash"),
            ("SIGABRT", "native_crash"),
            ("fatal error: all goroutines are asleep", "panic"),
            ("thread 'main' panicked at x", "panic"),
            ("Unhandled promise rejection", "panic"),
            ("Uncaught exception", "panic"),
            ("Traceback (most recent call last)", "panic"),
            ("exec: \"app\": not found", "cannot_execute"),
            ("no such file or directory: unknown", "cannot_execute"),
        ];
        for (text, name) in cases {
            assert_eq!(of(text).map(|s| s.name), Some(name), "{text}");
        }
    }

    #[test]
    fn ordinary_lines_match_nothing() {
        for text in [
            "GET /error 200",
            "INFO started, 0 errors",
            "level=info msg=ok err=nil",
            "connection established to db:5432",
            "served 12 requests",
        ] {
            assert!(of(text).is_none(), "{text}");
        }
    }
}
