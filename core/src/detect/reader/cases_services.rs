//! Lines of stores, brokers and proxies, of structured logs, and of runtimes that give up.

use crate::detect::reader::cases::{Case, DEBUG, ERROR, FATAL, INFO, TRACE, WARN, check};
use crate::detect::reader::one;
use crate::domain::log::Format;

const STORES_BROKERS_AND_PROXIES: &[Case] = &[
    // PostgreSQL with several prefixes.
    ("2026-11-24 03:15:02.123 UTC [77] LOG:  checkpoint starting", INFO, "checkpoint starting"),
    (
        "2026-11-24 03:15:02.123 UTC [77] FATAL:  too many connections",
        FATAL,
        "too many connections",
    ),
    (
        "2026-11-24 03:15:02.123 UTC [77] app@shop ERROR:  relation \"x\" does not exist",
        ERROR,
        "relation \"x\" does not exist",
    ),
    ("2026-11-24 03:15:02 UTC:10.0.0.1(5432):app@shop:[77]:ERROR:  boom", ERROR, "boom"),
    (
        "2026-11-24 03:15:02.123 UTC [77] user=app,db=shop,app=psql,client=10.0.0.7 ERROR:  boom",
        ERROR,
        "boom",
    ),
    (
        "2026-11-24 03:15:02 CET [77]: [3-1] user=app LOG:  statement: select 1",
        INFO,
        "statement: select 1",
    ),
    ("LOG:  database system is ready", INFO, "database system is ready"),
    (
        "2026-11-24 03:15:02.123 UTC [77] DETAIL:  Key (id)=(5) already exists.",
        INFO,
        "Key (id)=(5) already exists.",
    ),
    // Redis: the mark is the level.
    (
        "1:M 24 Nov 2026 03:15:02.123 * Ready to accept connections tcp",
        INFO,
        "Ready to accept connections tcp",
    ),
    (
        "1:M 24 Nov 2026 03:15:02.123 # WARNING overcommit_memory is set to 0",
        WARN,
        "WARNING overcommit_memory is set to 0",
    ),
    ("1:S 24 Nov 2026 03:15:02.123 . 12 clients connected", DEBUG, "12 clients connected"),
    ("77:C 24 Nov 2026 03:15:02.123 - DB saved", DEBUG, "DB saved"),
    // MySQL, MariaDB.
    (
        "2026-11-24T03:15:02.123456Z 0 [System] [MY-010931] [Server] mysqld: ready for connections.",
        INFO,
        "mysqld: ready for connections.",
    ),
    (
        "2026-11-24T03:15:02.123456Z 12 [ERROR] [MY-012592] [InnoDB] Operating system error number 28",
        ERROR,
        "Operating system error number 28",
    ),
    (
        "2026-11-24  3:15:02 0 [Note] mariadbd: ready for connections.",
        INFO,
        "mariadbd: ready for connections.",
    ),
    (
        "2026-11-24  3:15:02 12 [Warning] Aborted connection 12 to db",
        WARN,
        "Aborted connection 12 to db",
    ),
    // MongoDB before and after 4.4.
    (
        "2026-11-24T03:15:02.123+0000 I NETWORK  [listener] connection accepted",
        INFO,
        "connection accepted",
    ),
    (
        r#"{"t":{"$date":"2026-11-24T03:15:02.123+00:00"},"s":"E","c":"NETWORK","id":1,"ctx":"main","msg":"Refused","attr":{"n":1}}"#,
        ERROR,
        "Refused",
    ),
    // RabbitMQ.
    (
        "2026-11-24 03:15:02.123456+00:00 [info] <0.123.0> Server startup complete",
        INFO,
        "Server startup complete",
    ),
    (
        "2026-11-24 03:15:02.123456+00:00 [error] <0.1.0> closing AMQP connection <0.1.0>",
        ERROR,
        "closing AMQP connection <0.1.0>",
    ),
    // nginx, Apache, Envoy, uvicorn, werkzeug, Django.
    (
        "2026/11/24 03:15:02 [error] 7#7: *1 connect() failed (111: Connection refused)",
        ERROR,
        "*1 connect() failed (111: Connection refused)",
    ),
    ("2026/11/24 03:15:02 [notice] 1#1: start worker process 29", INFO, "start worker process 29"),
    ("2026/11/24 03:15:02 [notice] 1#1: OS: Linux 6.1", INFO, "OS: Linux 6.1"),
    (
        "1.2.3.4 - alice [24/Nov/2026:03:15:02 +0000] \"GET / HTTP/1.1\" 502 12 \"-\" \"curl/8\"",
        ERROR,
        "\"GET / HTTP/1.1\" 502 12",
    ),
    (
        "::1 - - [24/Nov/2026:03:15:02 +0000] \"POST /a/b?c=1 HTTP/2.0\" 404 0",
        INFO,
        "\"POST /a/b?c=1 HTTP/2.0\" 404 0",
    ),
    ("1.2.3.4 - - [24/Nov/2026:03:15:02 +0000] \"-\" 400 0 \"-\" \"-\"", INFO, "\"-\" 400 0"),
    (
        "shop.example.com:80 1.2.3.4 - - [24/Nov/2026:03:15:02 +0000] \"GET / HTTP/1.1\" 200 5",
        INFO,
        "\"GET / HTTP/1.1\" 200 5",
    ),
    (
        "[2026-11-24T03:15:02.123Z] \"GET /x HTTP/1.1\" 503 UF 0 12 3 - \"-\" \"curl\"",
        ERROR,
        "\"GET /x HTTP/1.1\" 503",
    ),
    ("INFO:     127.0.0.1:1234 - \"GET / HTTP/1.1\" 200 OK", INFO, "\"GET / HTTP/1.1\" 200"),
    (
        "127.0.0.1 - - [24/Nov/2026 03:15:02] \"GET / HTTP/1.1\" 500 -",
        ERROR,
        "\"GET / HTTP/1.1\" 500",
    ),
    ("[24/Nov/2026 03:15:02] \"GET /a HTTP/1.1\" 200 12", INFO, "\"GET /a HTTP/1.1\" 200 12"),
    // syslog, old and new, and the kernel.
    ("Nov 24 03:15:02 host app[1]: ERROR boom", ERROR, "boom"),
    ("Nov 24 03:15:02 host sshd[77]: error: no auth", ERROR, "error: no auth"),
    ("Nov  4 03:15:02 host kernel[0]: en0: channel changed", None, "en0: channel changed"),
    ("Nov  4 03:15:02 host com.apple.launchd[1] (com.apple.x): denied", None, "denied"),
    ("Nov 24 03:15:02 host su(pam_unix)[77]: session opened", None, "session opened"),
    (
        "Nov 24 03:15:02 host --- last message repeated 1 time ---",
        None,
        "--- last message repeated 1 time ---",
    ),
    ("<34>Nov 24 03:15:02 host su: 'su root' failed", FATAL, "'su root' failed"),
    ("<165>1 2026-11-24T03:15:02.003Z host app 77 ID47 [x@1 a=\"b]c\"] started", INFO, "started"),
    ("<11>1 - - - - - - boom", ERROR, "boom"),
    ("<6>[    1.234567] usb 1-1: new device", INFO, "usb 1-1: new device"),
    ("[   12.345678] usb 1-1: new device", None, "usb 1-1: new device"),
    ("2026-11-24T03:15:02+00:00 host app[77]: started", None, "started"),
];

#[test]
fn stores_brokers_and_proxies() {
    check(STORES_BROKERS_AND_PROXIES);
}

const OBJECTS_AND_PAIRS: &[Case] = &[
    (r#"{"level":"error","msg":"x"}"#, ERROR, "x"),
    (r#"{"time":"t","severity":"WARNING"}"#, WARN, r#"{"time":"t","severity":"WARNING"}"#),
    (r#"{"msg":"ok","lvl":"E"}"#, ERROR, "ok"),
    (r#"{"level":50,"msg":"pino"}"#, ERROR, "pino"),
    (r#"{"level":400,"level_name":"ERROR","message":"monolog"}"#, ERROR, "monolog"),
    (r#"{"version":"1.1","host":"h","short_message":"gelf","level":3}"#, ERROR, "gelf"),
    (r#"{"@timestamp":"t","log.level":"warn","message":"ecs"}"#, WARN, "ecs"),
    (r#"{"@timestamp":"t","log":{"level":"warn"},"message":"ecs"}"#, WARN, "ecs"),
    (
        r#"{"timestamp":"t","level":"INFO","fields":{"message":"tracing","n":1},"target":"a"}"#,
        INFO,
        "tracing",
    ),
    (
        r#"{"text":"all of it","record":{"level":{"name":"ERROR","no":40},"message":"loguru"}}"#,
        ERROR,
        "all of it",
    ),
    (r#"{"@l":"Fatal","@mt":"took {n}","n":1}"#, FATAL, "took {n}"),
    (
        r#"{"EventId":0,"LogLevel":"Error","Category":"x","Message":"boom","State":{"Message":"boom"}}"#,
        ERROR,
        "boom",
    ),
    (r#"{"@level":"trace","@message":"hclog"}"#, TRACE, "hclog"),
    (r#"{"event":"structlog","level":"info"}"#, INFO, "structlog"),
    (r#"{ "level" : "error" , "msg" : "spaces \"inside\"" }"#, ERROR, r#"spaces \"inside\""#),
    (r#"{"a":[{"msg":"no"}],"msg":"yes"}"#, None, "yes"),
    (r#"{"level":"error","msg":"cut off in the mid … [cut]"#, ERROR, "cut off in the mid … [cut]"),
    (r#"2026-11-24T03:15:02.123456789Z {"level":"error","msg":"carried"}"#, ERROR, "carried"),
    (
        r#"{"log":"2026-11-24 03:15:02,123 ERROR [main] boom\n","stream":"stdout","time":"2026-11-24T03:15:02.1Z"}"#,
        ERROR,
        "boom",
    ),
    (r"{not json}", None, "{not json}"),
    (r#"{"broken" 1}"#, None, r#"{"broken" 1}"#),
    ("{}", None, "{}"),
    ("time=\"2026\" level=warning msg=x", WARN, "time=\"2026\" level=warning msg=x"),
    (
        "ts=2026-11-24T03:15:02Z caller=main.go:1 level=error err=\"a b\"",
        ERROR,
        "ts=2026-11-24T03:15:02Z caller=main.go:1 level=error err=\"a b\"",
    ),
    ("web-1  | level=info msg=up", INFO, "level=info msg=up"),
    ("db-1    | 2026-11-24 03:15:02.123 UTC [77] LOG:  up", INFO, "up"),
    ("2026-11-24T03:15:02.123456789Z stdout F 2026-11-24 03:15:02 ERROR boom", ERROR, "boom"),
    ("2026-11-24T03:15:02.123456789Z 2026-11-24 03:15:02 ERROR boom", ERROR, "boom"),
];

#[test]
fn objects_and_pairs() {
    check(OBJECTS_AND_PAIRS);
}

const RUNTIMES_THAT_GIVE_UP: &[Case] = &[
    ("panic: runtime error: index out of range", FATAL, "panic: runtime error: index out of range"),
    (
        "fatal error: all goroutines are asleep - deadlock!",
        FATAL,
        "fatal error: all goroutines are asleep - deadlock!",
    ),
    (
        "thread 'main' panicked at src/main.rs:1:1:",
        ERROR,
        "thread 'main' panicked at src/main.rs:1:1:",
    ),
    (
        "thread 'main' (77) panicked at src/main.rs:1:1:",
        ERROR,
        "thread 'main' (77) panicked at src/main.rs:1:1:",
    ),
    ("Traceback (most recent call last):", ERROR, "Traceback (most recent call last):"),
    ("ValueError: bad", ERROR, "ValueError: bad"),
    ("TypeError [ERR_INVALID_ARG_TYPE]: bad", ERROR, "TypeError [ERR_INVALID_ARG_TYPE]: bad"),
    (
        "java.lang.OutOfMemoryError: Java heap space",
        ERROR,
        "java.lang.OutOfMemoryError: Java heap space",
    ),
    (
        "Exception in thread \"main\" java.lang.Error",
        ERROR,
        "Exception in thread \"main\" java.lang.Error",
    ),
    (
        "Unhandled exception. System.Exception: boom",
        ERROR,
        "Unhandled exception. System.Exception: boom",
    ),
    ("Uncaught Exception: boom", ERROR, "Uncaught Exception: boom"),
    ("Segmentation fault (core dumped)", ERROR, "Segmentation fault (core dumped)"),
    ("/app/index.js:10", ERROR, "/app/index.js:10"),
    ("node:internal/process/promises:288", ERROR, "node:internal/process/promises:288"),
    (
        "(node:7) UnhandledPromiseRejectionWarning: boom",
        ERROR,
        "(node:7) UnhandledPromiseRejectionWarning: boom",
    ),
    (
        "(node:7) [DEP0040] DeprecationWarning: old",
        WARN,
        "(node:7) [DEP0040] DeprecationWarning: old",
    ),
    ("npm ERR! code ELIFECYCLE", ERROR, "npm ERR! code ELIFECYCLE"),
    ("http://example.com:80", None, "http://example.com:80"),
];

#[test]
fn runtimes_that_give_up() {
    check(RUNTIMES_THAT_GIVE_UP);
}

#[test]
fn the_format_is_told() {
    let cases = [
        ("a b", Format::Plain),
        ("{\"a\":1}", Format::Json),
        ("a=1 b=2", Format::Logfmt),
        ("a=1, b=2", Format::Plain),
        ("a=1", Format::Plain),
        ("1.2.3.4 - - [24/Nov/2026:03:15:02 +0000] \"GET / HTTP/1.1\" 200 1", Format::Access),
    ];
    for (text, format) in cases {
        assert_eq!(one(text).format, format, "{text}");
    }
}
